import Foundation
import Testing

/// `attention translate`: text in, text out.
@Suite struct TranslateTests {
  /// Lines come in order, a line for a line, whatever the batches and the way they came in.
  @Test func linesInOrder() throws {
    let translator = try Translator()
    let sentences = ["三", "二十五", "", "一万", "  ", "九百", "四"]
    let alone = try sentences.map { try translator.translate($0).text }
    #expect(alone[2] == "\n" && alone[4] == "\n")
    let text = sentences.joined(separator: "\n")
    for input in [text, text + "\n", "\u{FEFF}" + text.replacing("\n", with: "\r\n")] {
      for batch in ["1", "2", "64"] {
        let outcome = try translator.translate(input: Array(input.utf8), "--batch", batch)
        #expect(outcome.ending == .exit(0) && outcome.error == "")
        #expect(outcome.text == alone.joined(), "batches of \(batch)")
      }
    }
    #expect(try translator.translate(input: Array(text.utf8), "-").text == alone.joined())
    #expect(try translator.translate(input: []).output == [])
    #expect(try translator.translate(input: Array("\n\n".utf8)).text == "\n\n")
  }

  @Test func threadsChangeNothing() throws {
    let translator = try Translator()
    let options = ["--json", "--align", "--n-best", "3"]
    let one = try attention(["translate", translator.model, "三千二百"] + options + ["--threads", "1"])
    let three = try attention(["translate", translator.model, "三千二百"] + options + ["--threads", "3"])
    #expect(one.ending == .exit(0) && one.output == three.output)
  }

  @Test func severalTranslations() throws {
    let translator = try Translator()
    let outcome = try translator.translate(input: Array("三\n\n十二".utf8), "--beam", "4", "--n-best", "3")
    #expect(outcome.ending == .exit(0))
    let rows = outcome.lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    let numbers = rows.map(\.first)
    #expect(numbers == ["1", "1", "1", "", "3", "3", "3"])
    for number in ["1", "3"] {
      let scores = rows.filter { $0[0] == number }.map { Double($0[1])! }
      #expect(scores == scores.sorted(by: >))
      #expect(Set(rows.filter { $0[0] == number }.map { $0[2] }).count == 3)
    }
    // The best is what comes without the option.
    #expect(try translator.translate("三", "--beam", "4").text == rows[0][2] + "\n")
  }

  @Test func json() throws {
    struct Line: Decodable {
      struct Candidate: Decodable {
        var text: String
        var tokens: [String]
        var score, logProbability: Double
        var isComplete: Bool
        var attention: [[Double]]?
      }
      var source: String
      var sourceTokens: [String]
      var translations: [Candidate]
    }
    let translator = try Translator()
    let outcome = try translator.translate(input: Array("三十\n\n五".utf8), "--json", "--align", "--n-best", "2")
    let lines = try outcome.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.map(\.source) == ["三十", "", "五"])
    #expect(lines.map(\.sourceTokens) == [["三", "十"], [], ["五"]])
    #expect(lines.map(\.translations.count) == [2, 1, 2])
    for line in lines {
      for candidate in line.translations {
        let attention = try #require(candidate.attention)
        #expect(attention.count == candidate.tokens.count && candidate.logProbability <= 0)
        // Weights of Float over a few positions.
        for row in attention { #expect(row.count == line.sourceTokens.count && abs(row.reduce(0, +) - 1) < 1e-5) }
      }
    }
    #expect(try !translator.translate("三", "--json").text.contains("attention"))
  }

  @Test func pictures() throws {
    let translator = try Translator()
    let aligned = try translator.translate("三万五千", "--align")
    #expect(aligned.ending == .exit(0))
    for token in ["三", "万", "五", "千"] { #expect(aligned.text.contains(token)) }
    #expect(aligned.lines.count > 3)
    for (name, beginning) in [("a.svg", "<?xml"), ("a.html", "<!doctype html>")] {
      for input in [nil, "\n三万五千\n\n"] {
        let path = translator.file(name)
        let arguments = ["translate", translator.model, input == nil ? "三万五千" : "-", "--plot", path]
        let outcome = try attention(arguments, input: Array((input ?? "").utf8))
        #expect(outcome.ending == .exit(0), "\(outcome.error)")
        let picture = String(decoding: try bytes(of: path), as: UTF8.self)
        #expect(picture.lowercased().hasPrefix(beginning) && picture.contains("万"))
        try FileManager.default.removeItem(atPath: path)
      }
    }
    for input in ["三\n四\n", "\n", ""] {
      expectFailure(
        try translator.translate(input: Array(input.utf8), "--plot", translator.file("b.svg")), status: 65,
        naming: ["--plot draws one sentence"])
    }
    expectFailure(try translator.translate("三", "--plot", "b.png"), status: 64, naming: ["PNG"])
  }

  @Test func whatTheModelDoesNotKnow() throws {
    let translator = try Translator()
    let outcome = try translator.translate(input: Array("三\n龘靐齉\n".utf8))
    #expect(outcome.ending == .exit(0) && outcome.lines.count == 2)
    #expect(outcome.error == "attention: line 2: the model knows none of its tokens, of which there are 3\n")
  }

  @Test func longLines() throws {
    let translator = try Translator()
    let long = String(repeating: "三", count: 2000)
    let outcome = try translator.translate(input: Array("\(long)\n四\n".utf8), "--beam", "1")
    #expect(outcome.ending == .exit(0) && outcome.lines.count == 2)
    #expect(outcome.errorLines.count == 1 && outcome.error.contains("line 1 has 2000 tokens"))
    #expect(outcome.lines[1] == (try translator.translate("四", "--beam", "1")).lines[0])
  }

  @Test func notUTF8() throws {
    let translator = try Translator()
    let outcome = try translator.translate(input: Array("三\n".utf8) + [0x61, 0xFF, 0x0A])
    #expect(outcome.ending == .exit(65))
    #expect(outcome.error == "attention: stdin: line 2 is not UTF-8\n")
    // What came before has its translation.
    #expect(outcome.text == (try translator.translate("三")).text)
  }

  @Test func badArguments() throws {
    let translator = try Translator()
    for (arguments, word) in [
      (["--beam", "0"], "--beam"), (["--n-best", "6"], "--n-best"), (["--batch", "0"], "--batch"),
      (["--maximum-length", "0"], "--maximum-length"), (["--normalization", "wu,-1"], "--normalization"),
      (["--normalization", "length,nan"], "--normalization"), (["--threads", "0"], "--threads"),
      (["--plot", "a.txt"], "-o"),
    ] {
      expectFailure(
        try attention(["translate", translator.model, "三"] + arguments), status: 64,
        naming: [word == "-o" ? ".svg" : word])
    }
    for normalization in ["none", "wu", "wu,1.5", "length", "length,0"] {
      #expect(try translator.translate("三", "--normalization", normalization).ending == .exit(0))
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDisks() throws {
    let translator = try Translator()
    let link = translator.file("full.svg")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/dev/full")
    let plotted = try translator.translate("三", "--plot", link)
    #expect(plotted.ending == .exit(73) && plotted.error.contains("No space left"))
    let command = try #require(AttentionExecutable.path)
    let outcome = try runProcess(
      "/bin/sh", ["-c", #""$1" translate "$2" 三 > /dev/full"#, "sh", command, translator.model])
    #expect(outcome.ending == .exit(73) && outcome.error.contains("No space left"))
  }
}
