import AttentionReference
import Safetensors

/// An attention problem, as a file and a command line hold it and as the oracle takes it.
struct Problem {
  enum Layout: String, CaseIterable {
    case bhsd, bshd
  }

  struct Entry {
    var type: SafetensorsType
    var shape: [Int]
    var bytes: [UInt8]
  }

  var type: SafetensorsType
  var layout = Layout.bhsd
  let shape: ReferenceShape
  /// [B, H, S, D] whatever the layout, exact in `type`.
  var queries, keys, values: [Double]
  /// What the oracle is asked for.
  var options = ReferenceOptions()
  /// What the command is asked for, beyond input, output and layout.
  var arguments: [String] = []
  /// The optional tensors of the file by name.
  var entries: [String: Entry] = [:]

  /// Random inputs in −1...1 that the type can hold.
  init(_ shape: ReferenceShape = .small, type: SafetensorsType = .f32, seed: UInt64 = 1) {
    var generator = SeededGenerator(seed: seed)
    func numbers(_ count: Int) -> [Double] {
      generator.numbers(count).map { number in
        switch type {
        case .f64: number
        case .f32: Double(Float(number))
        default: (number * 128).rounded() / 128
        }
      }
    }
    self.shape = shape
    self.type = type
    queries = numbers(shape.batch * shape.queryHeads * shape.queryLength * shape.headDimension)
    keys = numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.headDimension)
    values = numbers(shape.batch * shape.keyHeads * shape.keyLength * shape.valueDimension)
  }

  /// The file: query, key, value and the optional tensors.
  func write(to path: String, changing change: (inout [String: Entry]) -> Void = { _ in }) throws {
    var file = entries
    file["query"] = entry(queries, heads: shape.queryHeads, rows: shape.queryLength, columns: shape.headDimension)
    file["key"] = entry(keys, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.headDimension)
    file["value"] = entry(values, heads: shape.keyHeads, rows: shape.keyLength, columns: shape.valueDimension)
    change(&file)
    var writer = SafetensorsWriter()
    for (name, entry) in file {
      try writer.add(name, type: entry.type, shape: entry.shape, bytes: entry.bytes)
    }
    try writer.write(to: path)
  }

  private func entry(_ numbers: [Double], heads: Int, rows: Int, columns: Int) -> Entry {
    let bytes = encode(ordered(numbers, heads: heads, rows: rows, columns: columns), as: type)
    let axes = layout == .bhsd ? [shape.batch, heads, rows, columns] : [shape.batch, rows, heads, columns]
    return Entry(type: type, shape: axes, bytes: bytes)
  }

  /// Numbers in [B, H, S, D] order, in the order of the layout.
  func ordered(_ numbers: [Double], heads: Int, rows: Int, columns: Int) -> [Double] {
    guard layout == .bshd else { return numbers }
    var result: [Double] = []
    for b in 0..<shape.batch {
      for row in 0..<rows {
        for head in 0..<heads {
          let start = ((b * heads + head) * rows + row) * columns
          result += numbers[start..<start + columns]
        }
      }
    }
    return result
  }

  mutating func add(_ name: String, _ numbers: [Double], shape: [Int], as type: SafetensorsType) {
    entries[name] = Entry(type: type, shape: shape, bytes: encode(numbers, as: type))
  }

  mutating func add(_ name: String, _ numbers: [Int], shape: [Int], as type: SafetensorsType) {
    entries[name] = Entry(type: type, shape: shape, bytes: encode(numbers, as: type))
  }

  /// The oracle's answer, with weights and scores.
  func reference() -> ReferenceResult {
    referenceAttention(
      queries: queries, keys: keys, values: values, shape: shape, options: options, emittingMatrices: true)
  }
}

extension ReferenceShape {
  /// Two sequences, four query heads on two key heads, all sizes different.
  static let small = ReferenceShape(
    batch: 2, queryHeads: 4, keyHeads: 2, queryLength: 5, keyLength: 7, headDimension: 6, valueDimension: 3)

  /// [B, H, Sq, Sk].
  var pairs: [Int] { [batch, queryHeads, queryLength, keyLength] }
}
