import Foundation
import Seq2Seq
import Testing

@Suite struct BytePairTests {
  /// The paper's example, in which a space begins a word instead of a sign ending it.
  @Test func mergesOfThePaper() {
    let texts = [("low", 5), ("lower", 2), ("newest", 6), ("widest", 3)].flatMap { Array(repeating: $0.0, count: $0.1) }
    let tokenizer = BytePairTokenizer(learning: texts, mergeCount: 3)
    #expect(tokenizer.merges == [.init("e", "s"), .init("es", "t"), .init(" ", "l")])
    #expect(tokenizer.tokens(of: "lowest") == [" l", "o", "w", "est"])
  }

  /// Counting everything anew for each merge, with the same rules.
  private func naiveMerges(_ texts: [String], count: Int, minimum: Int) throws -> [BytePairTokenizer.Merge] {
    let words = texts.flatMap { $0.split(separator: " ") }.map { " " + $0 }
    var merges: [BytePairTokenizer.Merge] = []
    while merges.count < count {
      let tokenizer = try BytePairTokenizer(merges: merges)
      var counts: [BytePairTokenizer.Merge: Int] = [:]
      for word in words {
        let pieces = tokenizer.tokens(of: word)
        var last: Int?
        for index in pieces.indices.dropLast() {
          // Of aaa only one pair can be merged.
          if index > 0, last == index - 1, pieces[index - 1] == pieces[index], pieces[index] == pieces[index + 1] {
            continue
          }
          last = index
          counts[.init(pieces[index], pieces[index + 1]), default: 0] += 1
        }
      }
      let best = counts.min {
        ($1.value, $0.key.left, $0.key.right) < ($0.value, $1.key.left, $1.key.right)
      }
      guard let best, best.value >= minimum else { break }
      merges.append(best.key)
    }
    return merges
  }

  @Test(arguments: 0..<12) func incrementalCountsAreRight(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let texts = (0..<12).map { _ in generator.text(words: 5, alphabet: seed % 2 == 0 ? "ab" : "abcd") }
    let minimum = Int(seed % 3) + 1
    let expected = try naiveMerges(texts, count: 60, minimum: minimum)
    let tokenizer = BytePairTokenizer(learning: texts, mergeCount: 60, minimumPairCount: minimum)
    #expect(tokenizer.merges == expected, "seed \(seed)")
    #expect(tokenizer.merges.count > 10)
  }

  @Test func everyTextComesBack() {
    var generator = SeededGenerator(seed: 9)
    let parts = [
      "a", "b", "ab", " ", "  ", ".", "5", "我", "们", "é", "e\u{301}", "\u{301}", "😀", "\"", "\t", "\u{2581}", "<unk>",
    ]
    let texts = (0..<400).map { _ in
      (0..<Int.random(in: 0...14, using: &generator)).map { _ in parts.randomElement(using: &generator)! }.joined()
    }
    let tokenizer = BytePairTokenizer(learning: texts.prefix(200), mergeCount: 100)
    for text in texts {
      let tokens = tokenizer.tokens(of: text)
      let again = tokenizer.text(of: tokens)
      if Array(again.unicodeScalars) != Array(singleSpaced(text).unicodeScalars) || tokens.contains("") {
        Issue.record("seed 9: \(text.debugDescription), \(tokens) gave \(again.debugDescription)")
      }
    }
  }

  @Test func aWordHasTheSamePiecesEverywhere() {
    let tokenizer = BytePairTokenizer(learning: Array(repeating: "dog, dog", count: 9), mergeCount: 50)
    #expect(tokenizer.tokens(of: "dog (dog) dog.") == [" dog", " ", "(", "d", "o", "g", ")", " dog", "."])
    #expect(BytePairTokenizer(learning: ["DOG dog"], mergeCount: 9, lowercased: true).tokens(of: "DoG") == [" dog"])
  }

  @Test func savedAndLoaded() throws {
    let tokenizer = BytePairTokenizer(learning: ["the then other 中国 中国"], mergeCount: 9, lowercased: true)
    let loaded = try Tokenizer(json: Tokenizer.bytePairs(tokenizer).json)
    #expect(loaded == .bytePairs(tokenizer) && !tokenizer.merges.isEmpty)
    #expect(loaded.tokens(of: "Then 中国") == tokenizer.tokens(of: "Then 中国"))
  }

  @Test(arguments: [
    (#"[["a","b"],["abc","d"]]"#, #"merge 1: expected pieces made before, found "abc""#),
    (#"[["a","b"],["a","b"]]"#, #"merge 1: "a" "b" is there twice"#),
    (#"[["a","b","c"]]"#, "merge 0: expected 2 pieces, found 3"),
    (#"[["","b"]]"#, "merge 0: expected pieces made before"),
  ])
  func damagedMergesAreRejected(merges: String, message: String) throws {
    let json = #"{"kind":"bytePairs","lowercased":false,"merges":\#(merges)}"#
    let error = try #require(throws: JSONError.self) { try Tokenizer(json: json) }
    #expect(error.description.hasPrefix("tokenizer: \(message)"), "\(error)")
  }

  @Test(.enabled(if: Tatoeba.isThere)) func roundTripsOfACorpus() throws {
    let pairs = try ParallelCorpus(contentsOf: Tatoeba.path).pairs.prefix(6000)
    for texts in [pairs.map(\.source), pairs.map(\.target)] {
      let tokenizer = BytePairTokenizer(learning: texts, mergeCount: 1000)
      #expect(tokenizer.merges.count == 1000)
      for text in texts where tokenizer.text(of: tokenizer.tokens(of: text)) != singleSpaced(text) {
        Issue.record("\(text): found \(tokenizer.tokens(of: text))")
      }
      let pieces = texts.reduce(0) { $0 + tokenizer.tokens(of: $1).count }
      #expect(pieces * 10 < texts.reduce(0) { $0 + $1.count } * 8, "merges make few pieces of many characters")
    }
  }
}
