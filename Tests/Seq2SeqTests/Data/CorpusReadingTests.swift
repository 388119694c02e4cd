import Seq2Seq
import Testing

@Suite struct CorpusReadingTests {
  private func corpus(_ text: String, source: Int = 2, target: Int = 1) throws -> ParallelCorpus {
    try ParallelCorpus(bytes: Array(text.utf8), path: "pairs.tsv", sourceColumn: source, targetColumn: target)
  }

  private func message(_ bytes: [UInt8]) throws -> String {
    try #require(throws: CorpusError.self) { try ParallelCorpus(bytes: bytes, path: "pairs.tsv") }.description
  }

  @Test func columnsAreChosenByNumber() throws {
    let text = "Hi.\t嗨。\tsomebody\nBye.\t再见。\n"
    #expect(
      try corpus(text).pairs == [.init(source: "嗨。", target: "Hi."), .init(source: "再见。", target: "Bye.")])
    #expect(try corpus(text, source: 1, target: 2).pairs[1] == .init(source: "Bye.", target: "再见。"))
    #expect(try corpus("a\tb\tc", source: 3, target: 1).pairs == [.init(source: "c", target: "a")])
  }

  @Test func lineEndsMarksAndSpaces() throws {
    #expect(
      try corpus("\u{FEFF}Hi.\t 嗨。\u{3000}\r\nBye\t再见").pairs
        == [.init(source: "嗨。", target: "Hi."), .init(source: "再见", target: "Bye")])
    #expect(try corpus("a\u{2028}b\tc").pairs == [.init(source: "c", target: "a\u{2028}b")])
  }

  @Test func blankLinesAreCounted() throws {
    let corpus = try corpus("\n\r\n \t \na\tb\n\tb\na\t \n\u{200B}\n")
    #expect(corpus.pairs == [.init(source: "b", target: "a")])
    #expect(corpus.blankLines == 4 && corpus.halfEmptyLines == 2)
  }

  @Test func missingColumns() throws {
    #expect(
      try message(Array("a\tb\n\nlonely\n".utf8))
        == "pairs.tsv:3: expected at least 2 columns with tabs between them, found 1")
    let error = try #require(throws: CorpusError.self) { try corpus("a\tb", source: 4) }
    #expect(error.reason == .missingColumns(expected: 4, found: 2) && error.line == 1)
  }

  @Test(
    arguments: [
      ([0xFF], 1), ([0xC3], 1), ([0xE4, 0xBD], 1), ([0x61, 0xC0, 0x80], 2), ([0xED, 0xA0, 0x80], 1),
      ([0xE4, 0xBD, 0xA0, 0x80], 4), ([0xF4, 0x90, 0x80, 0x80], 1), ([0x61, 0xE4, 0xF8], 2),
    ] as [([UInt8], Int)])
  func whatIsNotUTF8(bytes: [UInt8], column: Int) throws {
    let text = try message(Array("a\tb\n".utf8) + bytes + Array("\tc\n".utf8))
    #expect(
      text
        == "pairs.tsv:2: expected UTF-8, found other bytes at byte \(column) of the line, "
        + "byte \(column + 3) of the file"
    )
  }

  @Test func otherEncodings() throws {
    #expect(try message([0xFF, 0xFE, 0x61, 0, 0x09, 0]).hasSuffix("byte 0 of the file (the file looks like UTF-16)"))
    // 你好 in GB 18030.
    #expect(try message([0xC4, 0xE3, 0xBA, 0xC3, 0x09, 0x61]).hasPrefix("pairs.tsv:1: expected UTF-8"))
  }

  @Test func emptyFiles() throws {
    #expect(try message([]) == "pairs.tsv: expected sentence pairs, found an empty file")
    #expect(try message(Array("\n \n\ta\n".utf8)) == "pairs.tsv: expected sentence pairs, found 3 lines without text")
  }

  @Test func filesThatCannotBeRead() throws {
    let directory = try TemporaryDirectory()
    let missing = try directory.file("missing.tsv")
    let error = try #require(throws: CorpusError.self) { try ParallelCorpus(contentsOf: missing) }
    #expect(error.description == "\(missing): cannot open: No such file or directory")
    let folder = try #require(throws: CorpusError.self) { try ParallelCorpus(contentsOf: directory.url.path) }
    #expect(folder.description == "\(directory.url.path): cannot read: Is a directory")
  }

  @Test func longLinesAndFilesAreRead() throws {
    let long = String(repeating: "爱", count: 2000)
    let directory = try TemporaryDirectory()
    let path = try directory.file("long.tsv", Array(Array(repeating: "x\t\(long)\n", count: 20).joined().utf8))
    let corpus = try ParallelCorpus(contentsOf: path)
    #expect(corpus.count == 20 && corpus.pairs.allSatisfy { $0.source == long })
  }

  @Test(.enabled(if: Tatoeba.isThere)) func aCorpusOfPeople() throws {
    let corpus = try ParallelCorpus(contentsOf: Tatoeba.path)
    #expect(corpus.count == 27_955 && corpus.blankLines == 0 && corpus.halfEmptyLines == 0)
    #expect(corpus.pairs[0] == .init(source: "嗨。", target: "Hi."))
    let references = corpus.references()
    #expect(references.map(\.source).count == Set(corpus.pairs.map(\.source)).count)
    #expect(references.map(\.targets.count).max()! > 1)
  }
}
