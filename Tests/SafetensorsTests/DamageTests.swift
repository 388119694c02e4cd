import Safetensors
import Testing

/// Valid files, damaged at every place or at random: an error or tensors within the file, never a crash.
@Suite struct DamageTests {
  private static func validFile() -> [UInt8] {
    let header =
      #"{"__metadata__":{"k":"v\u00e9"},"# + entry("x", "F64", "[2,1]", "[0,16]") + ","
      + entry("é", "BF16", "[3]", "[16,22]") + "," + entry("m", "BOOL", "[]", "[22,23]") + "}  "
    return fileBytes(header: header, data: (0..<23).map { UInt8($0) })
  }

  /// Touches every byte of every tensor.
  private func readAll(_ path: String, fileSize: Int) throws(SafetensorsError) {
    let file = try SafetensorsFile(contentsOf: path)
    var total = 0
    for name in file.names {
      let tensor = try file.tensor(named: name)
      #expect(tensor.scalars(as: Float.self).count == tensor.count)
      total += tensor.withUnsafeBytes { $0.count }
      #expect(tensor.shape.reduce(tensor.type.byteCount, *) == tensor.byteCount)
    }
    #expect(total < fileSize)
  }

  @Test func truncationAtEveryByteIsRefused() throws {
    let directory = try TemporaryDirectory()
    let whole = Self.validFile()
    try readAll(try directory.store(whole), fileSize: whole.count)
    for count in 0..<whole.count {
      let path = try directory.store(Array(whole.prefix(count)))
      let error = #expect(throws: SafetensorsError.self, "cut to \(count) bytes") {
        try readAll(path, fileSize: count)
      }
      switch error?.reason {
      case .missingHeaderLength: #expect(count < 8)
      case .headerTruncated: #expect(count >= 8)
      case .offsetsOutOfRange: #expect(count >= whole.count - 23)
      default: Issue.record("cut to \(count) bytes: \(String(describing: error))")
      }
    }
  }

  @Test func anAppendedByteIsRefused() throws {
    let error = try opening(Self.validFile() + [0])
    #expect(error?.reason == .hole(begin: 23, end: 24))
  }

  @Test func randomSingleByteMutationsAreHarmless() throws {
    let directory = try TemporaryDirectory()
    let whole = Self.validFile()
    let headerEnd = whole.count - 23
    var accepted = 0
    for seed in 0..<4000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var bytes = whole
      let index = Int.random(in: 0..<headerEnd, using: &generator)
      bytes[index] = UInt8.random(in: 0...255, using: &generator)
      let path = try directory.store(bytes)
      do throws(SafetensorsError) {
        try readAll(path, fileSize: bytes.count)
        accepted += 1
      } catch {
        #expect(error.path == path, "seed \(seed)")
        #expect(!error.description.contains("\n"), "seed \(seed)")
      }
    }
    // Changed letters of names and metadata must still be accepted, or the test would prove nothing.
    #expect(accepted > 0)
  }

  @Test func randomSplicesOfHeadersAreHarmless() throws {
    let directory = try TemporaryDirectory()
    let header = Array(Self.validFile().dropFirst(8).dropLast(23))
    for seed in 0..<2000 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed)
      var mutated = header
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let start = Int.random(in: 0..<mutated.count, using: &generator)
        let end = min(mutated.count, start + Int.random(in: 0...12, using: &generator))
        let source = Int.random(in: 0..<header.count - 12, using: &generator)
        mutated.replaceSubrange(start..<end, with: header[source..<source + Int.random(in: 0...12, using: &generator)])
        mutated.append(UInt8(ascii: " "))
      }
      let bytes = fileBytes(header: mutated, data: [UInt8](repeating: 1, count: 23))
      let path = try directory.store(bytes)
      do throws(SafetensorsError) {
        try readAll(path, fileSize: bytes.count)
      } catch {
        #expect(error.path == path, "seed \(seed)")
      }
    }
  }
}
