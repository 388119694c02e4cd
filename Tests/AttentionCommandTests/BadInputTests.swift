import Foundation
import Safetensors
import Testing

/// Bad input: status 65, one line that names the file and the tensor, what was expected and what came; no output file
/// and no temporary one, and what was at the output's place before stays.
@Suite struct BadInputTests {
  /// One way to spoil the file of a small problem, [B, H, G, Sq, Sk, D, Dv] = [2, 4, 2, 5, 7, 6, 3].
  struct Damage: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var words: [String]
    var change: @Sendable (inout [String: Problem.Entry]) -> Void

    init(_ name: String, naming words: String..., change: @escaping @Sendable (inout [String: Problem.Entry]) -> Void) {
      testDescription = name
      self.words = words
      self.change = change
    }

    /// Replaces or adds a tensor of zeros, or of the given integers.
    static func tensor(
      _ name: String, _ type: SafetensorsType, _ shape: [Int], _ integers: [Int]? = nil, naming words: String...
    ) -> Damage {
      var damage = Damage("\(name) \(type.rawValue) \(shape) \(integers ?? [])") { file in
        let numbers = integers ?? [Int](repeating: 0, count: shape.reduce(1, *))
        file[name] = Problem.Entry(type: type, shape: shape, bytes: encode(numbers, as: type))
      }
      damage.words = ["\"\(name)\""] + words
      return damage
    }
  }

  static let missing: [Damage] = ["query", "key", "value"].map { name in
    Damage("no \(name)", naming: "\"\(name)\"") { $0[name] = nil }
  }

  static let types: [Damage] = [
    .tensor("query", .i32, [2, 4, 5, 6], naming: "F32", "F64", "F16", "BF16", "I32"),
    .tensor("query", .u8, [2, 4, 5, 6], naming: "F32", "U8"),
    .tensor("key", .i64, [2, 2, 7, 6], naming: "F32", "I64"),
    .tensor("value", .bool, [2, 2, 7, 3], naming: "F32", "BOOL"),
    .tensor("key", .f64, [2, 2, 7, 6], naming: "F32", "F64"),
    .tensor("value", .f16, [2, 2, 7, 3], naming: "F32", "F16"),
    .tensor("value", .bf16, [2, 2, 7, 3], naming: "F32", "BF16"),
    .tensor("mask", .f32, [5, 7], naming: "BOOL", "U8", "F32"),
    .tensor("mask", .i64, [5, 7], naming: "BOOL", "U8", "I64"),
    .tensor("mask", .i8, [5, 7], naming: "BOOL", "U8", "I8"),
    .tensor("key_mask", .i32, [2, 7], naming: "BOOL", "U8", "I32"),
    .tensor("bias", .u8, [5, 7], naming: "floating-point", "U8"),
    .tensor("bias", .bool, [5, 7], naming: "floating-point", "BOOL"),
    .tensor("alibi_slopes", .i64, [4], naming: "floating-point", "I64"),
    .tensor("sinks", .i64, [4], naming: "floating-point", "I64"),
    .tensor("key_lengths", .f32, [2], naming: "integer", "F32"),
    .tensor("key_lengths", .bf16, [2], naming: "integer", "BF16"),
    .tensor("query_offsets", .f64, [2], naming: "integer", "F64"),
  ]

  static let shapes: [Damage] = [
    .tensor("query", .f32, [4, 5, 6], naming: "four axes", "[4, 5, 6]"),
    .tensor("query", .f32, [1, 2, 4, 5, 6], naming: "four axes", "[1, 2, 4, 5, 6]"),
    .tensor("query", .f32, [], naming: "four axes", "[]"),
    .tensor("key", .f32, [7, 6], naming: "four axes", "[7, 6]"),
    .tensor("value", .f32, [7, 3], naming: "four axes", "[7, 3]"),
    .tensor("query", .f32, [2, 0, 5, 6], naming: "[2, 0, 5, 6]"),
    .tensor("query", .f32, [2, 4, 5, 0], naming: "[2, 4, 5, 0]"),
    .tensor("value", .f32, [2, 2, 7, 0], naming: "[2, 2, 7, 0]"),
    .tensor("key", .f32, [1, 2, 7, 6], naming: "batch", "2", "[1, 2, 7, 6]"),
    .tensor("key", .f32, [3, 2, 7, 6], naming: "batch", "2", "[3, 2, 7, 6]"),
    .tensor("key", .f32, [2, 2, 7, 5], naming: "6", "[2, 2, 7, 5]"),
    .tensor("key", .f32, [2, 2, 7, 8], naming: "6", "[2, 2, 7, 8]"),
    .tensor("key", .f32, [2, 3, 7, 6], naming: "heads", "4", "3"),
    .tensor("key", .f32, [2, 8, 7, 6], naming: "heads", "4", "8"),
    .tensor("key", .f32, [2, 0, 7, 6], naming: "heads", "4", "0"),
    .tensor("value", .f32, [1, 2, 7, 3], naming: "[2, 2, 7, 6]", "[1, 2, 7, 3]"),
    .tensor("value", .f32, [2, 4, 7, 3], naming: "[2, 2, 7, 6]", "[2, 4, 7, 3]"),
    .tensor("value", .f32, [2, 1, 7, 3], naming: "[2, 2, 7, 6]", "[2, 1, 7, 3]"),
    .tensor("value", .f32, [2, 2, 6, 3], naming: "[2, 2, 7, 6]", "[2, 2, 6, 3]"),
    .tensor("value", .f32, [2, 2, 8, 3], naming: "[2, 2, 7, 6]", "[2, 2, 8, 3]"),
    .tensor("mask", .bool, [6], naming: "[2, 4, 5, 7]", "[6]"),
    .tensor("mask", .bool, [7, 5], naming: "[2, 4, 5, 7]", "[7, 5]"),
    .tensor("mask", .bool, [2, 7], naming: "[2, 4, 5, 7]", "[2, 7]"),
    .tensor("mask", .u8, [2, 2, 5, 7], naming: "[2, 4, 5, 7]", "[2, 2, 5, 7]"),
    .tensor("mask", .u8, [1, 1, 1, 1, 1], naming: "[2, 4, 5, 7]", "[1, 1, 1, 1, 1]"),
    .tensor("mask", .u8, [0], naming: "[2, 4, 5, 7]", "[0]"),
    .tensor("bias", .f32, [5], naming: "[2, 4, 5, 7]", "[5]"),
    .tensor("bias", .f64, [3, 1, 1, 1], naming: "[2, 4, 5, 7]", "[3, 1, 1, 1]"),
    .tensor("bias", .f32, [1, 2, 4, 5, 7], naming: "[2, 4, 5, 7]", "[1, 2, 4, 5, 7]"),
    .tensor("key_mask", .u8, [7], naming: "[2, 7]", "[7]"),
    .tensor("key_mask", .u8, [1, 7], naming: "[2, 7]", "[1, 7]"),
    .tensor("key_mask", .u8, [2, 5], naming: "[2, 7]", "[2, 5]"),
    .tensor("key_lengths", .i64, [1], naming: "[2]", "[1]"),
    .tensor("key_lengths", .i64, [3], naming: "[2]", "[3]"),
    .tensor("key_lengths", .i64, [2, 1], naming: "[2]", "[2, 1]"),
    .tensor("key_lengths", .i64, [], naming: "[2]", "[]"),
    .tensor("query_offsets", .i64, [1], naming: "[2]", "[1]"),
    .tensor("query_offsets", .i64, [4], naming: "[2]", "[4]"),
    .tensor("alibi_slopes", .f32, [2], naming: "[4]", "[2]"),
    .tensor("alibi_slopes", .f32, [1, 4], naming: "[4]", "[1, 4]"),
    .tensor("sinks", .f32, [5], naming: "[4]", "[5]"),
    .tensor("sinks", .f32, [], naming: "[4]", "[]"),
  ]

  static let numbers: [Damage] = [
    .tensor("key_lengths", .i64, [2], [3, 8], naming: "8", "7"),
    .tensor("key_lengths", .i8, [2], [-1, 3], naming: "-1", "7"),
    .tensor("key_lengths", .u64, [2], [1, 1 << 62], naming: "\(1 << 62)", "7"),
    .tensor("key_lengths", .i64, [2], [.min, 0], naming: "\(Int.min)", "7"),
    Damage("key_lengths beyond Int", naming: "\"key_lengths\"", "\(UInt64.max)") {
      $0["key_lengths"] = Problem.Entry(type: .u64, shape: [2], bytes: [UInt8](repeating: 255, count: 16))
    },
    Damage("query_offsets beyond Int", naming: "\"query_offsets\"", "\(UInt64.max)") {
      $0["query_offsets"] = Problem.Entry(type: .u64, shape: [2], bytes: [UInt8](repeating: 255, count: 16))
    },
    .tensor("output_gradient", .f32, [2, 4, 5, 9], naming: "output_gradient"),
    .tensor("output_gradient", .u8, [1], naming: "gradient"),
  ]

  @Test(arguments: missing + types + shapes + numbers)
  func tensor(damage: Damage) throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
    try Problem().write(to: input, changing: damage.change)
    for more in [[], ["--reference"]] {
      let outcome = try attention(["run", input, "-o", output] + more)
      expectFailure(outcome, status: 65, naming: [input] + damage.words)
      #expect(try directory.contents == ["in.safetensors"])
    }
    expectFailure(try attention("explain", input), status: 65, naming: [input] + damage.words)
    expectFailure(try attention("compare", input), status: 65, naming: [input] + damage.words)
  }

  /// The undamaged file is good: what the tests above see is the damage.
  @Test func theProblemItself() throws {
    _ = try Problem().run()
  }

  /// Axes are read in the order that `--layout` says.
  @Test func theWrongLayout() throws {
    let directory = try TemporaryDirectory()
    let (input, output) = (directory.file("in.safetensors"), directory.file("out.safetensors"))
    try Problem().write(to: input)
    let outcome = try attention("run", input, "-o", output, "--layout", "bshd")
    expectFailure(outcome, status: 65, naming: [input, "\"key\"", "heads", "5", "7"])
  }

  @Test func aFileThatIsNotThere() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("missing.safetensors")
    for arguments in [["run", input, "-o", directory.file("out")], ["explain", input], ["compare", input]] {
      expectFailure(try attention(arguments), status: 65, naming: [input, "No such file"])
    }
    #expect(try directory.contents == [])
  }

  static let notSafetensors: [(name: String, bytes: [UInt8])] = {
    func file(_ header: String, _ data: Int = 0) -> [UInt8] {
      withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data)
    }
    return [
      ("empty", []), ("short", [1, 2, 3]), ("text", Array("this is no safetensors file at all\n".utf8)),
      ("zeros", [UInt8](repeating: 0, count: 4096)), ("ones", [UInt8](repeating: 255, count: 64)),
      ("not JSON", file("{query}")), ("no tensors", file("{}")),
      ("unknown type", file(#"{"query":{"dtype":"F8_E4M3","shape":[1,1,1,1],"data_offsets":[0,1]}}"#, 1)),
      ("cut short", file(#"{"query":{"dtype":"F32","shape":[1,1,1,4],"data_offsets":[0,16]}}"#, 15)),
      ("hostile name", file(#"{"a\nb\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#, 8)),
    ]
  }()

  @Test(arguments: notSafetensors)
  func aFileOfAnotherKind(name: String, bytes: [UInt8]) throws {
    let directory = try TemporaryDirectory()
    let input = try directory.store(bytes, as: "in.safetensors")
    for arguments in [["run", input, "-o", directory.file("out")], ["explain", input], ["compare", input]] {
      let outcome = try attention(arguments)
      expectFailure(outcome, status: 65, naming: [input])
      #expect(!outcome.error.contains("\u{1B}"))
    }
    #expect(try directory.contents == ["in.safetensors"])
  }

  @Test func aDirectoryOrADevice() throws {
    let directory = try TemporaryDirectory()
    let output = directory.file("out")
    expectFailure(
      try attention("run", directory.path, "-o", output), status: 65, naming: [directory.path, "directory"])
    expectFailure(try attention("run", "/dev/null", "-o", output), status: 65, naming: ["/dev/null"])
    expectFailure(try attention("run", "-", "-o", output), status: 65, naming: ["-:"])
    expectFailure(try attention("run", "", "-o", output), status: 65, naming: ["No such file"])
    #expect(try directory.contents == [])
  }

  @Test func anExistingOutputStays() throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in.safetensors")
    let output = try directory.store([1, 2, 3], as: "out.safetensors")
    try Problem().write(to: input) { $0["value"] = nil }
    expectFailure(try attention("run", input, "-o", output), status: 65, naming: ["\"value\""])
    expectFailure(try attention("run", input, "-o", output, "--bogus"), status: 64, naming: ["--bogus"])
    #expect(try bytes(of: output) == [1, 2, 3])
    #expect(try directory.contents == ["in.safetensors", "out.safetensors"])
  }

  /// The name of a file cannot forge lines, whichever check fails.
  @Test(arguments: [missing[2], types[7], shapes[0], numbers[0], numbers[6]])
  func aLineBreakInTheName(damage: Damage) throws {
    let directory = try TemporaryDirectory()
    let input = directory.file("in\nforged: \u{1B}[2Jx.safetensors")
    try Problem().write(to: input, changing: damage.change)
    let outcome = try attention("run", input, "-o", directory.file("out"))
    expectFailure(outcome, status: 65, naming: damage.words + ["in\\u{a}forged"])
    #expect(!outcome.error.contains("\u{1B}"))
  }
}
