import Foundation
import Testing

/// Pairs that a command cannot use as they are: what the user is told, and that the rest is used.
@Suite struct DifficultPairsTests {
  /// 60 pairs of words and Chinese digits, a line each.
  private static let good = (0..<60).map { index in
    "\(index) x\t\(String(repeating: Array("一二三四五六七八九十")[index % 10], count: 1 + index / 10))\n"
  }
  private static let long = "word\t\(String(repeating: "三", count: 2000))\n"
  private static let unknown = "word\t龘靐齉\n"

  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func store(_ lines: [String], as name: String) throws -> String {
    try directory.store(Array(lines.joined().utf8), as: name)
  }

  private func train(_ pairs: String, _ more: String...) throws -> Outcome {
    try attention(
      ["train", "--pairs", pairs, "-o", directory.file("m"), "--hidden", "8", "--embedding", "8", "--epochs", "1"]
        + more)
  }

  /// What is said, and how many pairs are left.
  private func expect(
    _ outcome: Outcome, says error: String, pairs: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.ending == .exit(0), "\(outcome.error)", sourceLocation: sourceLocation)
    #expect(outcome.error == error, sourceLocation: sourceLocation)
    #expect(outcome.text.hasPrefix(pairs), "\(outcome.text)", sourceLocation: sourceLocation)
  }

  @Test func emptyLines() throws {
    let pairs = try store(["\n", " \t \r\n"] + Self.good + ["\t三\n", "four\t\n"], as: "gaps.tsv")
    let remark = "attention: \(pairs): 2 lines without one of the sentences left out\n"
    expect(try train(pairs), says: remark, pairs: "pairs         54 training, 6 validation, 0 test\n")
    let translator = try Translator()
    expect(
      try attention("evaluate", translator.model, "--pairs", pairs, "--beam", "1"), says: remark,
      pairs: "pairs           60, 60 different sources\n")
    let blank = try store(["\n", " \n"], as: "blank.tsv")
    for outcome in [try train(blank), try attention("evaluate", translator.model, "--pairs", blank)] {
      expectFailure(outcome, status: 65, naming: [blank, "found 2 lines without text"])
    }
    let answers = try translator.translate(input: Array("\n三\n\r\n \n三".utf8))
    #expect(answers.ending == .exit(0) && answers.error == "")
    let answer = try translator.translate("三").text
    #expect(answers.text == "\n\(answer)\n\n\(answer)")
  }

  @Test func unknownCharacters() throws {
    let pairs = try store(Self.good + [Self.unknown], as: "unknown.tsv")
    expect(try train(pairs), says: "", pairs: "pairs         55 training, 6 validation, 0 test\n")
    let translator = try Translator()
    expect(
      try attention("evaluate", translator.model, "--pairs", pairs, "--beam", "1"),
      says: "attention: \(pairs): the model knows no token of 1 of 61 sources\n",
      pairs: "pairs           61, 61 different sources\n")
    // No character twice: a model of nothing, which is said.
    let lines = (0..<60).map { "w\($0)\t\(Character(UnicodeScalar(0x4E00 + $0)!))\n" }
    let rare = try store(lines, as: "rare.tsv")
    let outcome = try train(rare)
    #expect(outcome.ending == .exit(0))
    #expect(
      outcome.error
        == ["sources", "targets"].map {
          "attention: \(rare): no token of the \($0) is frequent enough to be known (--minimum-count)\n"
        }.joined())
    expect(try train(rare, "--minimum-count", "1"), says: "", pairs: "pairs         54 training")
  }

  @Test func longLines() throws {
    let pairs = try store(Self.good + [Self.long], as: "long.tsv")
    expect(
      try train(pairs),
      says: "attention: \(pairs): 1 of 61 pairs left out, of no token or more than 100 on a side (--maximum-length)\n",
      pairs: "pairs         ")
    expect(try train(pairs, "--maximum-length", "2000"), says: "", pairs: "pairs         55 training")
    let translator = try Translator()
    expect(
      try attention("evaluate", translator.model, "--pairs", pairs, "--beam", "1"),
      says: "attention: \(pairs): of 1 of 61 sources the tokens after the first 400 are left out (--maximum-length)\n",
      pairs: "pairs           61, 61 different sources\n")
    let all = try store(Self.good.map { $0.replacing("\t", with: "\t\(String(repeating: "三", count: 99))") }, as: "all")
    let outcome = try train(all, "--maximum-length", "50")
    expectFailure(
      outcome, status: 65, naming: [all, "all of 54 training pairs have no token or more than 50", "--maximum-length"])
  }

  @Test func otherEncodingsAndColumns() throws {
    let translator = try Translator()
    let latin = try directory.store(Array("one\t一\ntwo\t".utf8) + [0xE9, 0x0A], as: "latin.tsv")
    let wide = try directory.store(
      Array("one\t一\n".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }), as: "wide.tsv")
    let marked = try directory.store([0xFF, 0xFE] + bytes(of: wide), as: "marked.tsv")
    let columns = try store(["one\t一\n", "\n", "two\n"], as: "columns.tsv")
    let cases = [
      (latin, ["latin.tsv:2: expected UTF-8", "byte 5 of the line"]), (marked, ["marked.tsv:1", "looks like UTF-16"]),
      (columns, ["columns.tsv:3: expected at least 2 columns", "found 1"]),
    ]
    for (path, words) in cases {
      expectFailure(try train(path), status: 65, naming: words)
      expectFailure(try attention("evaluate", translator.model, "--pairs", path), status: 65, naming: words)
    }
    #expect(!FileManager.default.fileExists(atPath: directory.file("m")))
  }

  /// A name of one letter, relative: Foundation's functions on paths have trouble with it.
  @Test(arguments: ["m", "./m", "sub/m"]) func shortNames(name: String) throws {
    try FileManager.default.createDirectory(atPath: directory.file("sub"), withIntermediateDirectories: false)
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh",
      [
        "-c", #"cd "$1" && shift && exec "$@""#, "sh", directory.path, command, "train", "--task", "numerals", "-o",
        name,
      ]
        + Translator.small + ["--epochs", "1"])
    #expect(outcome.ending == .exit(0) && outcome.error == "", "\(outcome.error)")
    #expect(FileManager.default.fileExists(atPath: directory.file(name)))
  }
}
