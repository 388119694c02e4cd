/// Texts to token numbers, as BERT does it: words apart (``TextNormalizer``), then each word from the longest pieces in
/// the vocabulary, the pieces behind the first written `##piece` (WordPiece; Wu et al. 2016, arXiv:1609.08144).
///
/// ```swift
/// tokenizer("Unaffable!", maximumLength: 256)  // [CLS] una ##ffa ##ble ! [SEP]
/// ```
public struct WordPieceTokenizer: Sendable {
  /// Words of more scalars are unknown.
  static let longestWord = 100
  /// What is one token where it stands in a text, as in Hugging Face's tokenizers.
  private static let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

  /// The pieces.
  public let vocabulary: Vocabulary
  /// How texts become words.
  public let normalizer: TextNormalizer

  /// A tokenizer of the given vocabulary.
  public init(vocabulary: Vocabulary, normalizer: TextNormalizer = TextNormalizer()) {
    self.vocabulary = vocabulary
    self.normalizer = normalizer
  }

  /// The tokens of a text between `[CLS]` and `[SEP]`, at most `maximumLength` (at least 2) with them; what is beyond
  /// is cut.
  public func callAsFunction(_ text: String, maximumLength: Int) -> [Int] {
    [vocabulary.start] + pieces(text).prefix(max(maximumLength, 2) - 2) + [vocabulary.end]
  }

  private func pieces(_ text: String) -> [Int] {
    var numbers: [Int] = []
    var rest = Substring(text).unicodeScalars
    var plain = String.UnicodeScalarView()
    func finish() {
      for word in normalizer.words(String(plain)) { numbers += pieces(ofWord: word) }
      plain = String.UnicodeScalarView()
    }
    while let scalar = rest.first {
      if scalar == "[", let special = Self.specials.first(where: { rest.starts(with: $0.unicodeScalars) }),
        let number = vocabulary[special]
      {
        finish()
        numbers.append(number)
        rest = rest.dropFirst(special.unicodeScalars.count)
      } else {
        plain.append(scalar)
        rest = rest.dropFirst()
      }
    }
    finish()
    return numbers
  }

  /// Greedily from the left, the longest first; `[UNK]` for the whole word where no piece fits.
  private func pieces(ofWord word: String) -> [Int] {
    guard word.unicodeScalars.count <= Self.longestWord else { return [vocabulary.unknown] }
    let bytes = Array(word.utf8)
    var numbers: [Int] = []
    var start = 0
    while start < bytes.count {
      let prefix = start == 0 ? [] : Array("##".utf8)
      var end = min(bytes.count, start + vocabulary.longest)
      var found: Int?
      while end > start {
        // A piece of whole scalars never ends before a continuation byte.
        if end == bytes.count || bytes[end] & 0xC0 != 0x80 { found = vocabulary[prefix + bytes[start..<end]] }
        if found != nil { break }
        end -= 1
      }
      guard let found else { return [vocabulary.unknown] }
      numbers.append(found)
      start = end
    }
    return numbers
  }
}
