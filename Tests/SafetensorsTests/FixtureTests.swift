import Foundation
import Safetensors
import Testing

/// Against a file that the reference implementation wrote; `Fixtures/make_every_type.py` makes it.
@Suite struct FixtureTests {
  private let path: String

  init() throws {
    path = try #require(
      Bundle.module.url(forResource: "every-type", withExtension: "safetensors", subdirectory: "Fixtures")
    ).path
  }

  @Test func valuesAreTheOnesWritten() throws {
    let file = try SafetensorsFile(contentsOf: path)
    func check(
      _ name: String, _ type: SafetensorsType, _ shape: [Int], _ values: [Double],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let tensor = try file.tensor(named: name)
      #expect(tensor.type == type, sourceLocation: sourceLocation)
      #expect(tensor.shape == shape, sourceLocation: sourceLocation)
      #expect(tensor.scalars(as: Double.self) == values, sourceLocation: sourceLocation)
    }
    #expect(file.names.count == 16)
    #expect(file.metadata == ["note": "tab\tquote\" \u{1F600}"])
    try check("bool", .bool, [4], [0, 1, 1, 0])
    try check("u8", .u8, [3], [0, 127, 255])
    try check("i8", .i8, [3], [-128, -1, 127])
    try check("i16", .i16, [2], [-32768, 32767])
    try check("u16", .u16, [2], [0, 65535])
    try check("f16", .f16, [2, 2], [-0.0, 1.5, 0x1p-24, 65504])
    try check("bf16", .bf16, [3], [1.5, -123.5, .infinity])
    try check("i32", .i32, [2], [-0x1p31, 0x1p31 - 1])
    try check("u32", .u32, [1], [0x1p32 - 1])
    try check("f32", .f32, [1, 3], [0.5, -1.25, Double(Float(3.0e38))])
    try check("f64", .f64, [2], [0.1, -1e300])
    try check("scalar", .f32, [], [7])
    try check("empty", .f32, [2, 0, 3], [])
    try check("névé \"\\/\n\u{1}", .u8, [1], [9])
    #expect(try file.tensor(named: "i64").integers() == [.min, .max])
    #expect(try file.tensor(named: "u64").withUnsafeBytes { Array($0) } == [UInt8](repeating: 255, count: 8))
  }

  @Test func rewritingGivesTheSameBytes() throws {
    let directory = try TemporaryDirectory()
    let file = try SafetensorsFile(contentsOf: path)
    var writer = SafetensorsWriter(metadata: file.metadata)
    for name in file.names.reversed() {
      let tensor = try file.tensor(named: name)
      try tensor.withUnsafeBytes { try writer.add(name, type: tensor.type, shape: tensor.shape, bytes: $0) }
    }
    try writer.write(to: directory.file("copy"))
    #expect(try bytes(of: directory.file("copy")) == bytes(of: path))
  }
}
