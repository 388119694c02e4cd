import Foundation
import Safetensors
import Testing

/// `attention train`.
@Suite struct TrainTests {
  /// What an epoch's line says; times differ from run to run.
  private func losses(_ outcome: Outcome) -> [String] {
    outcome.lines.filter { $0.hasPrefix("epoch") }.map { line in
      line.replacing(#/ +[0-9]+ tokens/s .*/#, with: "")
    }
  }

  private func train(_ path: String, _ arguments: String...) throws -> Outcome {
    try attention(["train", "--task", "numerals", "-o", path] + Translator.small + arguments)
  }

  @Test func sameSeedSameBits() throws {
    let directory = try TemporaryDirectory()
    let paths = ["a", "b", "c", "d"].map { directory.file($0) }
    let first = try train(paths[0], "--epochs", "2")
    #expect(first.ending == .exit(0) && first.error == "", "\(first.error)")
    #expect(losses(first).count == 2)
    #expect(losses(try train(paths[1], "--epochs", "2", "--threads", "1")) == losses(first))
    #expect(losses(try train(paths[2], "--epochs", "2", "--threads", "3")) == losses(first))
    #expect(try bytes(of: paths[0]) == bytes(of: paths[1]))
    #expect(try bytes(of: paths[0]) == bytes(of: paths[2]))
    #expect(losses(try train(paths[3], "--epochs", "2", "--seed", "6")) != losses(first))
  }

  /// Large enough for its products to be spread over threads.
  @Test func oneThreadEqualsTwo() throws {
    let directory = try TemporaryDirectory()
    let options = ["--hidden", "80", "--embedding", "72", "--dropout", "0.2", "--epochs", "1", "--threads"]
    let files = try ["1", "2", "3"].map { threads in
      let path = directory.file(threads)
      let outcome = try attention(["train", "--task", "numerals", "-o", path] + Translator.small + options + [threads])
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      return try bytes(of: path)
    }
    #expect(files[0] == files[1] && files[0] == files[2])
  }

  /// Two epochs and two more, on another number of threads, give the bits of four.
  @Test func resumeEqualsUninterrupted() throws {
    let directory = try TemporaryDirectory()
    let (whole, parts) = (directory.file("whole"), directory.file("parts"))
    let options = ["--dropout", "0.2", "--schedule", "constant"]
    func run(_ path: String, _ more: String...) throws -> Outcome {
      let outcome = try attention(["train", "--task", "numerals", "-o", path] + Translator.small + options + more)
      #expect(outcome.ending == .exit(0), "\(outcome.error)")
      return outcome
    }
    let four = try run(whole, "--epochs", "4")
    let two = try run(parts, "--epochs", "2", "--threads", "1")
    let more = try run(parts, "--epochs", "4", "--resume", "--threads", "2")
    #expect(losses(two) + losses(more) == losses(four))
    #expect(try bytes(of: parts) == bytes(of: whole))
  }

  /// A cosine over more epochs is another schedule, which is said.
  @Test func moreEpochsOfACosine() throws {
    let directory = try TemporaryDirectory()
    let model = directory.file("m")
    #expect(try train(model, "--epochs", "1").ending == .exit(0))
    let again = try train(model, "--epochs", "1", "--resume")
    #expect(again.ending == .exit(0) && again.error == "")
    let more = try train(model, "--epochs", "2", "--resume")
    #expect(more.ending == .exit(0) && more.error.contains("cosine"), "\(more.error)")
  }

  /// What another training would be is refused, and the files stay as they are.
  @Test func resumingSomethingElse() throws {
    let directory = try TemporaryDirectory()
    let model = directory.file("m")
    expectFailure(try train(model, "--resume"), status: 65, naming: ["m.checkpoint", "No such file"])
    #expect(try train(model, "--epochs", "1").ending == .exit(0))
    let before = try [model, model + ".checkpoint"].map(bytes)
    for option in [["--learning-rate", "0.5"], ["--hidden", "17"], ["--seed", "6"], ["--dropout", "0.5"]] {
      let outcome = try attention(
        ["train", "--task", "numerals", "-o", model] + Translator.small + ["--epochs", "2", "--resume"] + option)
      expectFailure(outcome, status: 64, naming: ["--resume", "other options"])
    }
    let pairs = try attention(
      ["train", "--task", "numerals", "-o", model] + Translator.small + [
        "--epochs", "2", "--resume", "--training", "301",
      ])
    #expect(pairs.ending == .exit(65) && pairs.error.contains("other training pairs"), "\(pairs.error)")
    #expect(try [model, model + ".checkpoint"].map(bytes) == before)
    // A training that has ended writes its best again and is done.
    try FileManager.default.removeItem(atPath: model)
    #expect(try train(model, "--epochs", "1", "--resume").ending == .exit(0))
    #expect(try bytes(of: model) == before[0])
    let cut = try directory.store(Array(before[1].dropLast(9)), as: "cut.checkpoint")
    expectFailure(try train(directory.file("cut"), "--resume"), status: 65, naming: [cut])
  }

  @Test func aTimeLimit() throws {
    let directory = try TemporaryDirectory()
    let outcome = try train(directory.file("m"), "--epochs", "1000000", "--time-limit", "1")
    #expect(outcome.ending == .exit(0) && outcome.error == "")
    #expect(losses(outcome).count > 0)
  }

  @Test func curveAndTestPairs() throws {
    let directory = try TemporaryDirectory()
    let (model, curve, pairs) = (directory.file("m"), directory.file("curve.svg"), directory.file("test.tsv"))
    let outcome = try train(model, "--epochs", "3", "--curve", curve, "--test-pairs", pairs)
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    let svg = String(decoding: try bytes(of: curve), as: UTF8.self)
    #expect(svg.contains("training") && svg.contains("validation") && svg.components(separatedBy: "<circle").count > 6)
    let lines = String(decoding: try bytes(of: pairs), as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 30 && lines.allSatisfy { $0.split(separator: "\t").count == 2 })
    let evaluated = try attention("evaluate", model, "--pairs", pairs, "--beam", "2")
    #expect(evaluated.ending == .exit(0))
  }

  /// A file of pairs, with words that are rare, and its columns.
  @Test func pairsOfAFile() throws {
    let directory = try TemporaryDirectory()
    let (model, file) = (directory.file("m"), directory.file("pairs.tsv"))
    let numbers = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    let text = (0..<80).map { "\($0 / 10) \($0 % 10)\tx\t\(numbers[$0 / 10]) \(numbers[$0 % 10]).\r\n" }.joined()
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    let outcome = try attention([
      "train", "--pairs", file, "--source-column", "1", "--target-column", "3", "--source-tokenizer", "spaces",
      "--target-tokenizer", "words", "--validation", "8", "--epochs", "2", "--hidden", "16", "--embedding", "8", "-o",
      model,
    ])
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    #expect(outcome.text.contains("without attentional layer"))
    #expect(try attention("translate", model, "1 2").ending == .exit(0))
    for tokenizer in ["pieces", "lowercase-pieces"] {
      let pieces = try attention([
        "train", "--pairs", file, "--source-column", "1", "--target-column", "3", "--target-tokenizer", tokenizer,
        "--merges", "20", "--cell", "gru", "--attention", "general", "--epochs", "1", "--hidden", "8", "--embedding",
        "8", "-o", model,
      ])
      #expect(pieces.ending == .exit(0), "\(pieces.error)")
    }
  }

  /// The form that options ask for is that of the model's file.
  @Test(arguments: [nil, true, false], [false, true])
  func attentionalLayer(flag: Bool?, feeding: Bool) throws {
    let directory = try TemporaryDirectory()
    let model = directory.file("m")
    let flags =
      (flag.map { [$0 ? "--attentional-layer" : "--no-attentional-layer"] } ?? [])
      + (feeding ? ["--input-feeding"] : [])
    let options = ["--task", "numerals", "-o", model] + Translator.small + ["--epochs", "1"] + flags
    let outcome = try attention(["train"] + options)
    #expect(outcome.ending == .exit(0), "\(outcome.error)")
    #expect(outcome.text.contains("without attentional layer") == (flag == false))
    let file = try SafetensorsFile(contentsOf: model)
    let form = try #require(file.metadata["configuration"])
    #expect(form.contains("\"attentionalLayer\":\(flag ?? true)") && form.contains("\"inputFeeding\":\(feeding)"))
    // [context; state] is 2·16 + 16 wide.
    #expect(file.names.contains("decoder.combination.weight") == (flag != false))
    #expect(try file.tensor(named: "decoder.output.weight").shape.last == (flag == false ? 48 : 16))
    #expect(try attention("translate", model, "三").ending == .exit(0))
    let other = flag == false ? "--attentional-layer" : "--no-attentional-layer"
    expectFailure(
      try attention(["train"] + options.filter { !$0.hasSuffix("attentional-layer") } + ["--resume", other]),
      status: 64, naming: ["--resume", "other options"])
  }

  @Test func wrongUse() throws {
    let directory = try TemporaryDirectory()
    let model = directory.file("m")
    let cases: [([String], [String])] = [
      ([], ["--pairs", "--task"]), (["--task", "numerals", "--pairs", "x"], ["both"]),
      (["--task", "words"], ["--task"]),
      (["--task", "numerals", "--epochs", "0"], ["--epochs"]), (["--task", "numerals", "--hidden", "0"], ["--hidden"]),
      (["--task", "numerals", "--dropout", "1"], ["--dropout"]), (["--task", "numerals", "--cell", "rnn"], ["--cell"]),
      (["--task", "numerals", "--attention", "hard"], ["--attention"]),
      (["--task", "numerals", "--learning-rate", "-1"], ["--learning-rate"]),
      (["--task", "numerals", "--learning-rate", "nan"], ["--learning-rate"]),
      (["--task", "dates", "--training", "80000"], ["73049"]),
      (["--task", "numerals", "--training", "5"], ["--training"]),
      (["--task", "numerals", "--test", "0", "--test-pairs", "x"], ["--test-pairs"]),
      (["--pairs", "x", "--source-column", "1"], ["--source-column"]),
      (["--task", "numerals", "--curve", "x.png"], ["PNG"]),
      (["--task", "numerals", "--schedule", "linear"], ["--schedule"]),
    ]
    for (arguments, words) in cases {
      expectFailure(try attention(["train", "-o", model] + arguments), status: 64, naming: words)
    }
    expectFailure(try attention("train", "--task", "numerals"), status: 64, naming: ["output"])
    #expect(try directory.contents == [])
  }

  @Test func badPairs() throws {
    let directory = try TemporaryDirectory()
    let model = directory.file("m")
    let files: [(String, [UInt8], [String])] = [
      ("empty", [], ["empty file"]), ("blank", Array("\n \n".utf8), ["without text"]),
      ("one-column", Array("a\tb\nc\n".utf8), ["one-column:2", "2 columns", "found 1"]),
      ("latin", Array("a\t".utf8) + [0xE9, 0x0A], ["latin:1", "UTF-8"]),
      ("few", Array("a\tb\n".utf8), ["found 1 in all"]),
    ]
    for (name, content, words) in files {
      let path = try directory.store(content, as: name)
      expectFailure(try attention("train", "--pairs", path, "-o", model), status: 65, naming: words)
    }
    expectFailure(
      try attention("train", "--pairs", directory.file("none"), "-o", model), status: 65,
      naming: ["none", "No such file"])
    #expect(!FileManager.default.fileExists(atPath: model))
  }

  /// What cannot be written is found out before the work is done.
  @Test func unwritablePlaces() throws {
    let directory = try TemporaryDirectory()
    for path in [directory.file("no/m"), directory.path] {
      let outcome = try train(path, "--epochs", "100000")
      expectFailure(outcome, status: 73, naming: [path])
    }
    let curve = try train(directory.file("m"), "--epochs", "100000", "--curve", directory.file("no/c.svg"))
    #expect(curve.ending == .exit(73))
  }
}
