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

  @Test func linksAreFollowedAndPermissionsKept() throws {
    let directory = try TemporaryDirectory()
    let (file, link) = (try directory.file("file.json", [0x7B]), try directory.file("link.json"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "file.json")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
    try Vocabulary(counting: [["a"]]).write(to: link)
    #expect(try Vocabulary(contentsOf: file)["a"] == 4)
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.url.path).sorted() == ["file.json", "link.json"])
  }

  #if os(Linux)
    /// A device of its own, like /dev/full, which only an administrator can make: it refuses every byte and stays one.
    @Test(.enabled(if: geteuid() == 0)) func fullDisk() throws {
      let directory = try TemporaryDirectory()
      let path = try directory.file("full")
      guard mknod(path, S_IFCHR | 0o666, 1 << 8 | 7) == 0 else { return }
      let error = try #require(throws: JSONError.self) { try Vocabulary(counting: []).write(to: path) }
      #expect(error.description == "\(path): cannot write: No space left on device")
      let type = try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
      #expect(type == .typeCharacterSpecial)
    }
  #endif

  @Test func filesThatCannotBeUsed() throws {
    let directory = try TemporaryDirectory()
    let missing = try directory.file("missing.json")
    let read = try #require(throws: JSONError.self) { try Vocabulary(contentsOf: missing) }
    #expect(read.description == "\(missing): cannot open: No such file or directory")
    let folder = try #require(throws: JSONError.self) { try Vocabulary(contentsOf: directory.url.path) }
    #expect(folder.description == "\(directory.url.path): cannot read: Is a directory")
    let nowhere = missing + "/x"
    let write = try #require(throws: JSONError.self) { try Vocabulary(counting: []).write(to: nowhere) }
    #expect(write.description == "\(nowhere): cannot create: No such file or directory")
    let inFolder = try #require(throws: JSONError.self) { try Vocabulary(counting: []).write(to: directory.url.path) }
    #expect(inFolder.description == "\(directory.url.path): cannot create: Is a directory")
  }
}
