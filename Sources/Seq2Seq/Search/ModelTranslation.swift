
extension TranslationModel {
  /// For each text its translations, the best first, in the order of the texts; a blank text has one, without words.
  public func translations(
    of texts: [String], options: TranslationOptions = TranslationOptions()
  ) -> [[Translation]] {
    Seq2Seq.translations(of: texts, source: source, target: target, options: options) { decoder(for: $0) }
  }
}
