import Seq2Seq
import Testing

@Suite struct CharacterTokenizerTests {
  @Test(arguments: [
    ("我爱中国。", ["我", "爱", "中", "国", "。"], "我爱中国。"),
    ("我 爱\u{3000}中国", ["我", "爱", "中", "国"], "我爱中国"),
    ("Tom有12台iPad mini！", ["Tom", "有", "1", "2", "台", "iPad", "mini", "！"], "Tom有12台iPad mini！"),
    ("Wi-Fi", ["Wi", "-", "Fi"], "Wi-Fi"),
    ("二〇二四 ひらカナ々", ["二", "〇", "二", "四", "ひ", "ら", "カ", "ナ", "々"], "二〇二四ひらカナ々"),
    ("葛\u{E0100}飾", ["葛", "\u{E0100}", "飾"], "葛\u{E0100}飾"),
    ("Bjo\u{308}rk", ["Bjo\u{308}rk"], "Björk"),
    ("한국 말", ["한국", "말"], "한국 말"), (" \t\u{200B}", [], ""), ("", [], ""),
  ])
  func tokens(text: String, tokens: [String], again: String) {
    #expect(CharacterTokenizer().tokens(of: text) == tokens)
    #expect(CharacterTokenizer().text(of: tokens) == again)
  }

  @Test(.enabled(if: Tatoeba.isThere)) func roundTripsOfACorpus() throws {
    let sources = try ParallelCorpus(contentsOf: Tatoeba.path).pairs.map(\.source)
    let tokenizer = CharacterTokenizer()
    func spaceless(_ text: String) -> String { singleSpaced(text).filter { $0 != " " } }
    for source in sources {
      let again = tokenizer.text(of: tokenizer.tokens(of: source))
      // Spaces beside an ideograph or a sign are lost, nothing else.
      if spaceless(again) != spaceless(source) { Issue.record("\(source): found \(again)") }
    }
    let same = sources.count { tokenizer.text(of: tokenizer.tokens(of: $0)) == $0 }
    #expect(same * 1000 > sources.count * 990, "\(same) of \(sources.count) sources come back with their spaces")
  }
}
