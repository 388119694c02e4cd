import Foundation
import SentenceEmbedding
import Testing

@Suite("Tokens are those of Hugging Face's BertTokenizer")
struct TokenizerTests {
  let vocabulary: Vocabulary
  let texts: [Recorded.Text]

  init() throws {
    vocabulary = try Vocabulary(contentsOf: Recorded.path("tiny/vocab.txt"))
    texts = try Recorded.texts()
    try #require(texts.count == 27)
  }

  @Test("small letters without accents")
  func uncased() {
    let tokenizer = WordPieceTokenizer(vocabulary: vocabulary)
    for text in texts {
      #expect(tokenizer(text.text, maximumLength: 1000) == text.untruncated, "\(text.text.debugDescription)")
    }
  }

  @Test("cut to a length, [SEP] last")
  func cut() {
    let tokenizer = WordPieceTokenizer(vocabulary: vocabulary)
    for text in texts {
      #expect(tokenizer(text.text, maximumLength: 24) == text.tokens, "\(text.text.debugDescription)")
    }
    #expect(texts.contains { $0.tokens.count < $0.untruncated.count })
    #expect(tokenizer("the cat", maximumLength: 2) == [vocabulary.start, vocabulary.end])
  }

  @Test("letters and accents as they are")
  func cased() {
    let tokenizer = WordPieceTokenizer(
      vocabulary: vocabulary, normalizer: TextNormalizer(doLowerCase: false, stripAccents: false))
    for text in texts {
      #expect(tokenizer(text.text, maximumLength: 1000) == text.cased, "\(text.text.debugDescription)")
    }
    #expect(texts.contains { $0.cased != $0.untruncated })
  }

  @Test("canonically equivalent pieces are different pieces")
  func equivalentPieces() throws {
    let composed = try #require(vocabulary["\u{E9}"])
    let decomposed = try #require(vocabulary["e\u{301}"])
    #expect(composed != decomposed)
  }

  @Test("the last of equal pieces counts, and lines may end in CR LF")
  func lines() throws {
    let model = try ModelCopy()
    try model.store("[CLS]\r\n[SEP]\r\n[UNK]\r\nthe\r\ncat\r\nthe\r\n", as: "vocab.txt")
    let vocabulary = try Vocabulary(contentsOf: model.file("vocab.txt"))
    #expect(vocabulary.count == 6)
    #expect(WordPieceTokenizer(vocabulary: vocabulary)("The cat", maximumLength: 9) == [0, 5, 4, 1])
  }
}
