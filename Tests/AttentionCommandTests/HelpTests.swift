import Testing

@Suite struct HelpTests {
  @Test(arguments: [
    ["--help"], ["-h"], ["help"], ["run", "--help"], ["run", "-h"], ["help", "run"], ["compare", "--help"],
    ["explain", "--help"], ["info", "--help"], ["plot", "--help"], ["train", "--help"], ["translate", "--help"],
    ["evaluate", "--help"],
  ])
  func help(arguments: [String]) throws {
    let outcome = try attention(arguments)
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    #expect(outcome.text.contains("USAGE: attention"))
    if let command = ["run", "plot", "compare", "explain", "info", "train", "translate", "evaluate"].first(
      where: arguments.contains)
    {
      #expect(outcome.text.contains("attention \(command)"))
    }
  }

  @Test func helpOfRunNamesEveryOptionAndTensor() throws {
    let text = try attention("run", "--help").text
    for word in [
      "--output", "--layout", "--causal", "--window", "--scale", "--softcap", "--dropout", "--seed", "--threads",
      "--reference", "--emit", "query", "key", "value", "mask", "bias", "key_mask", "key_lengths", "query_offsets",
      "alibi_slopes", "sinks", "lse", "weights", "scores",
    ] {
      #expect(text.contains(word), "\(word)")
    }
  }

  @Test func helpNamesTheCommands() throws {
    let text = try attention("--help").text
    for command in ["run", "plot", "compare", "explain", "info", "train", "translate", "evaluate"] {
      #expect(text.contains("  \(command) "), "\(command)")
    }
  }

  @Test func version() throws {
    let outcome = try attention("--version")
    #expect(outcome.ending == .exit(0))
    #expect(outcome.error == "")
    #expect(outcome.text.wholeMatch(of: /[0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
  }
}
