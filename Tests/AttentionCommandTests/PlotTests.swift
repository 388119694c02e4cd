import Foundation
import Safetensors
import Testing

/// `attention plot`: which weights are drawn, with which labels, and where to.
@Suite struct PlotTests {
  /// Writes tensors of weights with metadata.
  static func write(
    _ tensors: [String: (shape: [Int], scalars: [Float])], metadata: [String: String] = [:], to path: String
  ) throws {
    var writer = SafetensorsWriter(metadata: metadata)
    for (name, tensor) in tensors { try writer.add(name, tensor.scalars, shape: tensor.shape) }
    try writer.write(to: path)
  }

  static let sentence: [Float] = [0.7, 0.2, 0.1, 0.15, 0.35, 0.5, 0.05, 0.3, 0.65]

  @Test func inTheTerminal() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Self.write(["weights": ([3, 3], Self.sentence)], to: input)
    let outcome = try attention("plot", input, "--labels", "我,爱,中国", "--title", "我爱中国")
    #expect(outcome.ending == .exit(0) && outcome.error == "")
    #expect(
      outcome.text == """
        我爱中国
               我      爱     中国
          我 ██ 0.70 ░░ 0.20 ░░ 0.10
          爱 ░░ 0.15 ▒▒ 0.35 ▓▓ 0.50
        中国    0.05 ▒▒ 0.30 ██ 0.65
             0 [  ░░▒▒▓▓██] 0.7

        """)
    let bars = try attention("plot", input, "--labels", "我,爱,中国", "--query", "1", "--width", "32")
    #expect(
      bars.text == """
        in.safetensors
        query 爱
          我 ▏█████▊              0.1500
          爱 ▏█████████████▎      0.3500
        中国 ▏███████████████████ 0.5000

        """)
  }

  /// No colour in a pipe unless asked for.
  @Test func colours() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    try Self.write(["weights": ([3, 3], Self.sentence)], to: input)
    for arguments in [[], ["--color", "never"], ["--color", "auto"]] {
      #expect(try !attention(["plot", input] + arguments).text.contains("\u{1B}"))
    }
    let cube = try attention(["plot", input, "--color", "always"], environment: ["COLORTERM": ""])
    #expect(cube.text.contains("\u{1B}[48;5;"))
    let full = try attention(["plot", input, "--color", "always"], environment: ["COLORTERM": "truecolor"])
    #expect(full.text.contains("\u{1B}[48;2;"))
    #expect(full.text.replacing(/\u{1B}\[[0-9;]*m/, with: "").contains(" 0.70  0.20  0.10 "))
  }

  /// Each axis is chosen by its option: element [l][b][h][i][j] of these tensors says its own place.
  @Test func axes() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    func tensor(_ layer: Int) -> [Float] {
      (0..<120).map { (index: Int) -> Float in
        let (b, h, i, j) = (index / 60, index / 20 % 3, index / 5 % 4, index % 5)
        return Float(layer) + Float(b * 1000 + h * 100 + i * 10 + j) / 10000
      }
    }
    // Layers are ordered by number, not by name; the shapes [H, Sq, Sk] and [Sq, Sk] are one sequence, one head.
    try Self.write(
      ["layer10.weights": ([2, 3, 4, 5], tensor(10)), "layer2.weights": ([2, 3, 4, 5], tensor(2))], to: input)
    func bars(_ arguments: String...) throws -> String {
      try attention(["plot", input, "--query", "3"] + arguments).text
    }
    #expect(try bars("--head", "1").contains("2.0134\n"))
    #expect(try bars("--head", "1").hasPrefix("in.safetensors · layer 2 · head 1 · sequence 0\nquery 3\n"))
    #expect(try bars("--layer", "10", "--batch", "1", "--head", "2").contains("10.1234\n"))
    #expect(try bars("--layer", "10").contains("10.0134\n"))
    #expect(try bars("--layer", "10").hasPrefix("in.safetensors · layer 10 · mean of 3 heads · sequence 0\n"))
    #expect(try bars("--head", "0", "--columns", "1,2").split(separator: "\n").count == 4)
    #expect(try bars("--head", "0", "--columns", "3,").hasSuffix("2.0034\n"))

    try Self.write(["weights": ([3, 4, 5], Array(tensor(0)[60...]))], to: input)
    #expect(try bars("--head", "2").contains("0.1234\n"))
    try Self.write(["weights": ([4, 5], Array(tensor(0)[60...].prefix(20)))], to: input)
    #expect(try bars("--head", "mean").contains("0.1034\n"))
  }

  @Test(arguments: [SafetensorsType.f64, .f16, .bf16])
  func types(type: SafetensorsType) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    var writer = SafetensorsWriter()
    try writer.add("weights", type: type, shape: [1, 2], bytes: encode([0.25, 0.75], as: type))
    try writer.write(to: input)
    #expect(try attention("plot", input).text.contains("0.25 ██ 0.75"))
  }

  /// The weights of a problem are those that `run` emits, with the same options.
  @Test(arguments: [[], ["--causal", "bottom-right"], ["--window", "1,2", "--softcap", "2"]])
  func computed(arguments: [String]) throws {
    let directory = try TemporaryDirectory()
    let (input, emitted) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
    for layout in Problem.Layout.allCases {
      var problem = Problem()
      problem.layout = layout
      try problem.write(to: input)
      let options = arguments + ["--layout", layout.rawValue]
      expectSilentSuccess(try attention(["run", input, "-o", emitted, "--emit", "weights"] + options))
      let choice = ["--title", "t", "--batch", "1", "--head", "3"]
      let picture = try attention(["plot", input] + options + choice)
      #expect(picture.ending == .exit(0) && picture.text.contains("0."), "\(picture.error)")
      #expect(try picture.text == attention(["plot", emitted] + choice).text)
    }
  }

  @Test func labels() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    let weights = (shape: [2, 1, 2, 3], scalars: [Float](repeating: 0.5, count: 12))
    try Self.write(
      ["weights": weights],
      metadata: ["query_labels": #"[["a","b"],["c","d"]]"#, "key_labels": #"["x","y,\n","z"]"#], to: input)
    let picture = try attention("plot", input, "--batch", "1").text.split(separator: "\n")
    #expect(picture[1].contains(/x +y,\\n +z/) && picture[2].hasPrefix("c ") && picture[3].hasPrefix("d "))
    // Tokens name both sides; a padded sequence has fewer.
    let own = (shape: [2, 1, 3, 3], scalars: [Float](repeating: 0.5, count: 18))
    try Self.write(["weights": own], metadata: ["tokens": #"[["u","v"],["w"]]"#], to: input)
    #expect(try attention("plot", input, "--batch", "1", "--rows", "0,0").text.contains(#/ w +1 +2\nw /#))
    try Self.write(["weights": own], metadata: ["tokens": "many"], to: input)
    #expect(try attention("plot", input).text.contains(#/ 0 +1 +2\n0 /#))
    try Self.write(["weights": weights], to: input)
    let file = try directory.store(Array("one\r\ntwo, three\nfour".utf8), as: "labels.txt")
    let named = try attention("plot", input, "--key-labels", "@" + file, "--query-labels", "Q,").text
    #expect(named.contains(/one +two, three +four/) && named.contains("\nQ "))
  }

  @Test(arguments: ["svg", "html", "HTM"])
  func files(ending: String) throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out." + ending))
    try Self.write(["weights": ([3, 3], Self.sentence)], to: input)
    expectSilentSuccess(try attention("plot", input, "-o", output, "--labels", "我,爱,</script>"))
    let text = String(decoding: try bytes(of: output), as: UTF8.self)
    #expect(text.hasPrefix(ending == "svg" ? "<?xml" : "<!DOCTYPE html>"))
    #expect(text.contains("爱") && !text.contains("爱,</script>"))
    #expect(try directory.contents == ["in.safetensors", "out." + ending])
  }

  /// Heads of all layers are in a page, or the one that was asked for.
  @Test func headsOfAPage() throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.html"))
    let weights = (shape: [2, 1, 2], scalars: [Float](arrayLiteral: 0.25, 0.75, 0.5, 0.5))
    try Self.write(["layer0.weights": weights, "layer1.weights": weights], to: input)
    func heads(_ arguments: String...) throws -> Int {
      expectSilentSuccess(try attention(["plot", input, "-o", output] + arguments))
      return String(decoding: try bytes(of: output), as: UTF8.self).matches(of: /"weights":\[/).count
    }
    #expect(try heads() == 4)
    #expect(try heads("--layer", "1") == 2)
    #expect(try heads("--head", "1") == 2)
    #expect(try heads("--layer", "0", "--head", "mean", "--query", "0") == 1)
  }
}
