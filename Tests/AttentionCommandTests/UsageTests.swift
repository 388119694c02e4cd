import Testing

/// Wrong usage: status 64, one line that names the option, nothing written.
@Suite struct UsageTests {
  static let wrongRuns: [(arguments: [String], words: [String])] = [
    (["--bogus"], ["--bogus"]),
    (["-x"], ["-x"]),
    (["extra"], ["extra"]),
    (["--layout"], ["--layout"]),
    (["--layout", "hbsd"], ["--layout", "hbsd", "bhsd", "bshd"]),
    (["--layout", "BSHD"], ["--layout", "BSHD"]),
    (["--layout", ""], ["--layout"]),
    (["--causal"], ["--causal"]),
    (["--causal", "middle"], ["--causal", "middle", "top-left", "bottom-right"]),
    (["--causal", "1.5"], ["--causal", "1.5"]),
    (["--causal", ""], ["--causal"]),
    (["--causal", "99999999999999999999"], ["--causal", "99999999999999999999"]),
    (["--window"], ["--window"]),
    (["--window", ""], ["--window"]),
    (["--window", "3"], ["--window", "'3'", "LEFT,RIGHT"]),
    (["--window", "1,2,3"], ["--window", "1,2,3"]),
    (["--window", "-1,2"], ["--window", "-1,2"]),
    (["--window", "1,-2"], ["--window", "1,-2"]),
    (["--window", "a,b"], ["--window", "a,b"]),
    (["--window", "1, 2"], ["--window", "1, 2"]),
    (["--window", "1.5,"], ["--window", "1.5,"]),
    (["--scale"], ["--scale"]),
    (["--scale", "big"], ["--scale", "big"]),
    (["--scale", ""], ["--scale"]),
    (["--scale", "nan"], ["--scale", "nan", "finite"]),
    (["--scale", "inf"], ["--scale", "inf", "finite"]),
    (["--scale", "1e999"], ["--scale"]),
    (["--softcap"], ["--softcap"]),
    (["--softcap", "0"], ["--softcap", "0", "positive"]),
    (["--softcap", "-1"], ["--softcap", "-1", "positive"]),
    (["--softcap", "inf"], ["--softcap", "inf"]),
    (["--softcap", "nan"], ["--softcap", "nan"]),
    (["--softcap", "x"], ["--softcap", "x"]),
    (["--dropout", "0.5"], ["--dropout", "--seed"]),
    (["--seed", "1"], ["--seed", "--dropout"]),
    (["--dropout", "--seed", "1"], ["--dropout"]),
    (["--dropout", "1", "--seed", "1"], ["--dropout", "1", "below 1"]),
    (["--dropout", "-0.1", "--seed", "1"], ["--dropout", "-0.1"]),
    (["--dropout", "nan", "--seed", "1"], ["--dropout", "nan"]),
    (["--dropout", "half", "--seed", "1"], ["--dropout", "half"]),
    (["--dropout", "0.5", "--seed"], ["--seed"]),
    (["--dropout", "0.5", "--seed", "-1"], ["--seed"]),
    (["--dropout", "0.5", "--seed", "1.5"], ["--seed", "1.5"]),
    (["--dropout", "0.5", "--seed", "18446744073709551616"], ["--seed", "18446744073709551616"]),
    (["--threads"], ["--threads"]),
    (["--threads", "0"], ["--threads", "0", "at least 1"]),
    (["--threads", "-1"], ["--threads", "-1", "at least 1"]),
    (["--threads", "two"], ["--threads", "two"]),
    (["--threads", "1.5"], ["--threads", "1.5"]),
    (["--emit"], ["--emit"]),
    (["--emit", ""], ["--emit", "weights", "scores"]),
    (["--emit", "weights,"], ["--emit", "weights", "scores"]),
    (["--emit", "output"], ["--emit", "output", "weights", "scores"]),
    (["--emit", "weights scores"], ["--emit", "weights scores"]),
    (["--output"], ["--output"]),
    (["--reference=1"], ["--reference"]),
  ]

  @Test(arguments: wrongRuns)
  func run(arguments: [String], words: [String]) throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
    try Problem().write(to: input)
    let outcome = try attention(["run", input, "-o", output] + arguments)
    expectFailure(outcome, status: 64, naming: words)
    #expect(try directory.contents == ["in.safetensors"])
  }

  @Test func missingArguments() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    expectFailure(try attention("run"), status: 64, naming: ["input"])
    expectFailure(try attention("run", input), status: 64, naming: ["--output"])
    expectFailure(try attention("run", "-o", directory.file("out")), status: 64, naming: ["input"])
    expectFailure(try attention("run", input, "-o"), status: 64, naming: ["-o"])
    #expect(try directory.contents == ["in.safetensors"])
  }

  @Test(arguments: ["bogus", "Run", "--bogus", "", "--run"])
  func unknownCommands(name: String) throws {
    expectFailure(try attention(name), status: 64, naming: ["'\(name)'"])
  }

  static let wrongOthers: [(arguments: [String], words: [String])] = [
    (["info", "extra"], ["extra"]),
    (["info", "--bogus"], ["--bogus"]),
    (["explain", "--queries"], ["--queries"]),
    (["explain", "--queries", "-1"], ["--queries"]),
    (["explain", "--queries", "many"], ["--queries", "many"]),
    (["explain", "--keys", "99999999999"], ["99999999999", "2147483647"]),
    (["explain", "--batch", "0"], ["--batch", "0", "at least 1"]),
    (["explain", "--heads", "0"], ["--heads", "0", "at least 1"]),
    (["explain", "--kv-heads", "0"], ["--kv-heads", "0", "at least 1"]),
    (["explain", "--heads", "6", "--kv-heads", "4"], ["--heads", "6", "--kv-heads", "4"]),
    (["explain", "--dimension", "0"], ["--dimension", "0", "at least 1"]),
    (["explain", "--value-dimension", "0"], ["--value-dimension", "0", "at least 1"]),
    (["explain", "--type", "f8"], ["--type", "f8", "f32"]),
    (["explain", "--causal", "x"], ["--causal", "x"]),
    (["explain", "--threads", "0"], ["--threads", "0"]),
    (["compare", "--repetitions", "0"], ["--repetitions", "0", "at least 1"]),
    (["compare", "--repetitions", "-1"], ["--repetitions"]),
    (["compare", "--seed", "1"], ["--seed", "--dropout"]),
    (["compare", "--batch", "x"], ["--batch", "x"]),
  ]

  @Test(arguments: wrongOthers)
  func otherCommands(arguments: [String], words: [String]) throws {
    expectFailure(try attention(arguments), status: 64, naming: words)
  }

  /// A number that no problem could take is wrong usage, whatever the file, and the line names the option.
  @Test(arguments: [["--threads", "99999999999"], ["--threads", "2147483648"]])
  func numbersOutOfRange(arguments: [String]) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let run = try attention(["run", input, "-o", directory.file("out")] + arguments)
    expectFailure(run, status: 64, naming: arguments)
    expectFailure(try attention(["explain", "--queries", "8"] + arguments), status: 64, naming: arguments)
    #expect(try directory.contents == ["in.safetensors"])
  }

  /// Numbers that the type computed in cannot take: the option is at fault, not the input.
  @Test(arguments: [("--scale", "1e300"), ("--softcap", "1e300")])
  func numbersBeyondTheType(option: String, value: String) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let run = try attention("run", input, "-o", directory.file("out"), option, value)
    expectFailure(run, status: 64, naming: [option, "1e+300"])
    try Problem(type: .f64).write(to: input)
    expectSilentSuccess(try attention("run", input, "-o", directory.file("out"), option, value))
  }

  /// Line breaks in an argument do not break the line, and what follows them is not lost.
  @Test(arguments: [
    (["--scale", "1\nsecond"], "second"), (["--one\nsecond"], "second"), (["one\nsecond"], "second"),
    (["--emit", "one\nsecond"], "second"), (["one\rsecond"], "second"), (["--layout", "\u{1B}[31msecond"], "second"),
  ])
  func controlCharacters(arguments: [String], part: String) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Problem().write(to: input)
    let outcome = try attention(["run", input, "-o", directory.file("out")] + arguments)
    expectFailure(outcome, status: 64, naming: [part])
    #expect(!outcome.error.dropLast().unicodeScalars.contains { $0.properties.generalCategory == .control })
  }
}
