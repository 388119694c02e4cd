import Seq2Seq
import Testing

@Suite struct TokenizerTests {
  @Test(arguments: [Tokenizer.characters, .words(lowercased: true), .words(lowercased: false), .spaces])
  func savedAndLoaded(tokenizer: Tokenizer) throws {
    #expect(try Tokenizer(json: tokenizer.json) == tokenizer)
    let codec = TextCodec(tokenizer, counting: ["a b. 中国"])
    #expect(try TextCodec(json: codec.json) == codec)
  }

  @Test func unknownKindIsRejected() throws {
    let error = try #require(throws: JSONError.self) { try Tokenizer(json: #"{"kind":"magic"}"#) }
    #expect(error.description == "tokenizer: expected the kind characters, words, bytePairs or spaces, found another")
    #expect(throws: JSONError.self) { try Tokenizer(json: #"{"kind":"words"}"#) }
  }

  @Test func codecOfAText() {
    let codec = TextCodec(.characters, counting: ["我爱你。", "我爱他。"], minimumCount: 2)
    let numbers = codec.encode("我爱她。")
    #expect(numbers.count == 4 && numbers.filter { $0 == Vocabulary.unknown }.count == 1)
    #expect(codec.decode(numbers + [Vocabulary.end] + numbers) == "我爱<unk>。")
    #expect(codec.encode("") == [] && codec.decode([]) == "")
  }

  @Test func spaces() {
    #expect(Tokenizer.spaces.tokens(of: " a  b\u{3000}c\n") == ["a", "b", "c"])
    #expect(Tokenizer.spaces.text(of: ["a", "b"]) == "a b")
  }

  /// Quadratic work at a length that users may send, over all tokenizers.
  @Test func aLongLineIsTokenized() {
    let line = String(repeating: "我爱ab ", count: 500)
    let pieces = BytePairTokenizer(learning: ["我爱 ab ab 我爱我爱"], mergeCount: 9)
    for tokenizer in [Tokenizer.characters, .words(lowercased: true), .spaces, .bytePairs(pieces)] {
      #expect(tokenizer.tokens(of: line).count >= 500)
    }
    #expect(Tokenizer.bytePairs(pieces).tokens(of: String(repeating: "我爱", count: 1000)).joined().count == 2000)
  }
}
