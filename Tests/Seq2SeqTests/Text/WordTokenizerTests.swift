import Seq2Seq
import Testing

@Suite struct WordTokenizerTests {
  @Test(arguments: [
    ("I'm sure he doesn't.", ["I", "'m", "sure", "he", "does", "n't", "."]),
    ("Tom’s can't-do CAN'T", ["Tom", "’s", "can't-do", "CA", "N'T"]),
    ("In the 1880's, 5'10.", ["In", "the", "1880", "'s", ",", "5", "￭", "'", "10", "."]),
    ("Thirty-two thousand, and 1,000.5!", ["Thirty-two", "thousand", ",", "and", "1,000.5", "!"]),
    (
      "\"Hi,\" he said. \"At 7:45 a.m., no?\"",
      [
        "\"", "Hi", ",", "\"", "he", "said", ".", "\"", "At", "7:45", "a.m", ".", ",", "no", "?", "\"",
      ]
    ),
    (
      "(so) [x] “a” $5 50% and/or...",
      [
        "(", "so", ")", "[", "x", "]", "“", "a", "”", "$", "5", "50", "%", "and", "/", "or", "...",
      ]
    ),
    ("The students' o'clock 'word'.", ["The", "students'", "o'clock", "'", "word", "'", "."]),
    ("我爱 you 我 爱", ["我", "爱", "you", "我", "▁", "爱"]),
    ("end.Start a .b", ["end", ".", "￭", "Start", "a", "▁", ".", "￭", "b"]),
    ("▁ ￭", ["▁▁", "￭￭"]), ("", []), (" \n", []),
  ])
  func tokens(text: String, tokens: [String]) {
    let tokenizer = WordTokenizer()
    #expect(tokenizer.tokens(of: text) == tokens)
    #expect(tokenizer.text(of: tokenizer.tokens(of: text)) == singleSpaced(text))
  }

  @Test func lowerCase() {
    #expect(WordTokenizer(lowercased: true).tokens(of: "I'M Here, ÉMILE") == ["i", "'m", "here", ",", "émile"])
  }

  @Test func textOfWhatAModelSays() {
    let tokenizer = WordTokenizer()
    #expect(
      tokenizer.text(of: ["i", "do", "n't", "know", ",", "\"", "tom", "\"", "'s", "<unk>", "."])
        == "i don't know, \"tom\" 's <unk>.")
    #expect(tokenizer.text(of: ["￭", "a", "▁", "￭", ".", "", "￭", "b", "▁"]) == "a.b")
    #expect(tokenizer.text(of: []) == "")
  }

  @Test func everyTextComesBack() {
    var generator = SeededGenerator(seed: 5)
    let parts = [
      "a", "B", "n't", "'", "’", "\"", " ", "  ", ".", ",", "-", "--", "5", "x's", "(", ")", "$", "%", "/", "我", "。",
      "￭", "▁", "“", "”", "é", "e\u{301}", "\u{301}", "😀", "👨‍👩‍👧", "\u{A0}", ":", "s'", "https://a.b", "\t",
    ]
    for round in 0..<3000 {
      let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in parts.randomElement(using: &generator)! }
        .joined()
      let tokens = WordTokenizer().tokens(of: text)
      #expect(!tokens.contains(""))
      let again = WordTokenizer().text(of: tokens)
      if Array(again.unicodeScalars) != Array(singleSpaced(text).unicodeScalars) {
        Issue.record("round \(round) of seed 5: \(text.debugDescription), \(tokens) gave \(again.debugDescription)")
      }
    }
  }

  @Test(.enabled(if: Tatoeba.isThere)) func roundTripsOfACorpus() throws {
    let targets = try ParallelCorpus(contentsOf: Tatoeba.path).pairs.map(\.target)
    let tokenizer = WordTokenizer()
    var marked = 0
    for target in targets {
      let tokens = tokenizer.tokens(of: target)
      if tokens.contains("￭") || tokens.contains("▁") { marked += 1 }
      if tokenizer.text(of: tokens) != singleSpaced(target) { Issue.record("\(target): found \(tokens)") }
    }
    // What people write is what the usual spacing gives.
    #expect(marked * 1000 < targets.count * 2, "\(marked) of \(targets.count) sentences need marks")
  }
}
