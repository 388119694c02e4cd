import Foundation
import Seq2Seq
import Testing

@Suite struct VocabularyTests {
  private let sentences = [["b", "a", "c"], ["a", "b"], ["a", "d", "<unk>", "</s>", ""]]

  @Test func mostFrequentFirstAndTiesInOrder() {
    let vocabulary = Vocabulary(counting: sentences)
    #expect(vocabulary.tokens == ["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d"])
    #expect(vocabulary.count == 8 && vocabulary["b"] == 5 && vocabulary[5] == "b" && vocabulary["e"] == nil)
    #expect(Vocabulary(counting: sentences.reversed()) == vocabulary)
  }

  @Test func minimumCountAndMaximumSize() {
    #expect(Vocabulary(counting: sentences, minimumCount: 2).tokens.dropFirst(4) == ["a", "b"])
    #expect(Vocabulary(counting: sentences, maximumSize: 7).tokens.dropFirst(4) == ["a", "b", "c"])
    #expect(Vocabulary(counting: sentences, minimumCount: 2, maximumSize: 5).tokens.dropFirst(4) == ["a"])
    #expect(Vocabulary(counting: sentences, maximumSize: 4).count == 4)
    #expect(Vocabulary(counting: []).tokens == Vocabulary.specials)
  }

  @Test func noTextForgesASpecial() {
    let vocabulary = Vocabulary(counting: sentences)
    #expect(vocabulary.encode(["a", "</s>", "<pad>", "<s>", "x"]) == [4, 1, 1, 1, 1])
    #expect(vocabulary.decode([2, 4, 0, 1, 5, 3, 4]) == ["a", "<unk>", "b"])
  }

  @Test func savedAndLoaded() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.file("vocabulary.json")
    let vocabulary = Vocabulary(counting: [["中", "é", "\"", "\\", "/", "\u{1}", " the", "😀"]])
    try vocabulary.write(to: path)
    #expect(try Vocabulary(contentsOf: path) == vocabulary)
    #expect(try Vocabulary(json: vocabulary.json).tokens == vocabulary.tokens)
    #expect(vocabulary.json.utf8.allSatisfy { $0 != 0x0A })
  }

  @Test(arguments: [
    (
      #"{"tokens":["<pad>","<unk>","<s>"]}"#,
      "vocabulary: expected to begin with <pad> <unk> <s> </s>, found other tokens"
    ),
    (#"{"tokens":["<unk>","<pad>","<s>","</s>"]}"#, "found other tokens"),
    (#"{"tokens":["<pad>","<unk>","<s>","</s>","a","b","a"]}"#, "vocabulary: token 6 is the same as token 4"),
    (#"{"tokens":["<pad>","<unk>","<s>","</s>","a",""]}"#, "vocabulary: token 5 is empty"),
    (#"{"tokens":["<pad>","<unk>","<s>","</s>","<s>"]}"#, "vocabulary: token 4 is spelled like the special <s>"),
    (#"{"tokens":["<pad>",1]}"#, #"vocabulary: expected String at "tokens".1"#),
    (#"{"words":[]}"#, #"vocabulary: "tokens" is missing"#),
    ("[1", "vocabulary: expected JSON, found something else"), ("", "vocabulary: expected JSON"),
  ])
  func damagedJSONIsRejected(json: String, message: String) throws {
    let error = try #require(throws: JSONError.self) { try Vocabulary(json: json) }
    #expect(error.description.contains(message), "\(error)")
    #expect(!error.description.contains("\n"))
  }

  @Test func filesThatCannotBeUsed() throws {
    let directory = try TemporaryDirectory()
    let missing = try directory.file("missing.json")
    let read = try #require(throws: JSONError.self) { try Vocabulary(contentsOf: missing) }
    #expect(read.description == "\(missing): cannot open: No such file or directory")
    let folder = try #require(throws: JSONError.self) { try Vocabulary(contentsOf: directory.url.path) }
    #expect(folder.description == "\(directory.url.path): cannot read: Is a directory")
    let nowhere = missing + "/x"
    let write = try #require(throws: JSONError.self) { try Vocabulary(counting: []).write(to: nowhere) }
    #expect(write.description.hasPrefix("\(nowhere): cannot write: "), "\(write)")
  }
}
