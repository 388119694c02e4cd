import Safetensors
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: SafetensorsType.allCases)
  func bytesOfEveryTypeComeBack(type: SafetensorsType) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    var generator = SeededGenerator(seed: 1)
    let data = (0..<6 * type.byteCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
    var writer = SafetensorsWriter()
    try writer.add("t", type: type, shape: [2, 3], bytes: data)
    try data.withUnsafeBytes { try writer.add("copy", type: type, shape: [6], bytes: $0) }
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.names == ["copy", "t"])
    let tensor = try file.tensor(named: "t")
    #expect(tensor.name == "t")
    #expect(tensor.type == type)
    #expect(tensor.shape == [2, 3])
    #expect(tensor.count == 6)
    #expect(tensor.byteCount == data.count)
    #expect(tensor.withUnsafeBytes { Array($0) } == data)
    #expect(try file.tensor(named: "copy").withUnsafeBytes { Array($0) } == data)
  }

  @Test func conveniencesChooseTheirType() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    var writer = SafetensorsWriter()
    try writer.add("float", [1.5, -2] as [Float], shape: [2])
    try writer.add("double", [0.1] as [Double], shape: [1, 1])
    try writer.add("byte", [200] as [UInt8], shape: [])
    try writer.add("long", [.min, .max] as [Int64], shape: [2])
    try writer.add("truth", [true, false] as [Bool], shape: [2])
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(try file.tensor(named: "float").type == .f32)
    #expect(try file.tensor(named: "float").scalars(as: Float.self) == [1.5, -2])
    #expect(try file.tensor(named: "double").type == .f64)
    #expect(try file.tensor(named: "double").scalars(as: Double.self) == [0.1])
    #expect(try file.tensor(named: "byte").type == .u8)
    #expect(try file.tensor(named: "byte").integers() == [200])
    #expect(try file.tensor(named: "long").type == .i64)
    #expect(try file.tensor(named: "long").integers() == [.min, .max])
    #expect(try file.tensor(named: "truth").type == .bool)
    #expect(try file.tensor(named: "truth").integers() == [1, 0])
  }

  @Test func scalarAndEmptyTensorsComeBack() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    var writer = SafetensorsWriter()
    try writer.add("scalar", [4] as [Float], shape: [])
    try writer.add("empty", [] as [Float], shape: [3, 0])
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(try file.tensor(named: "scalar").count == 1)
    #expect(try file.tensor(named: "scalar").scalars() == [4 as Float])
    #expect(try file.tensor(named: "empty").shape == [3, 0])
    #expect(try file.tensor(named: "empty").scalars(as: Double.self).isEmpty)
    #expect(try file.tensor(named: "empty").withUnsafeBytes { $0.count } == 0)
  }

  @Test func fileWithoutTensorsComesBack() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    try SafetensorsWriter().write(to: path)
    #expect(try bytes(of: path) == fileBytes(header: "{}      "))
    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.names.isEmpty)
    #expect(file.metadata.isEmpty)
  }

  @Test func namesAndMetadataOfAnyTextComeBack() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    let texts = ["", "\"\\/", "\u{0}\u{1}\u{8}\t\n\u{B}\u{C}\r\u{1F}\u{7F}", "é", "日本", "😀", "{}[]:,"]
    let metadata = Dictionary(uniqueKeysWithValues: texts.map { ($0, $0 + "!") })
    var writer = SafetensorsWriter(metadata: metadata)
    for text in texts {
      try writer.add(text, Array(text.utf8), shape: [text.utf8.count])
    }
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.metadata == metadata)
    #expect(Set(file.names) == Set(texts))
    for text in texts {
      #expect(try file.tensor(named: text).withUnsafeBytes { Array($0) } == Array(text.utf8))
    }
  }

  @Test func canonicallyEquivalentNamesAreDifferentTensors() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("t.safetensors")
    let (composed, decomposed) = ("\u{E9}", "e\u{301}")
    var writer = SafetensorsWriter()
    try writer.add(composed, [1] as [UInt8], shape: [1])
    #expect(throws: Never.self) { try writer.add(decomposed, [2] as [UInt8], shape: [1]) }
    try writer.write(to: path)

    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.names.count == 2)
    #expect(try file.tensor(named: composed).integers() == [1])
    #expect(try file.tensor(named: decomposed).integers() == [2])
  }

  @Test func tensorOutlivesItsFile() throws {
    let directory = try TemporaryDirectory()
    var writer = SafetensorsWriter()
    try writer.add("t", (0..<5000).map { Float($0) }, shape: [5000])
    try writer.write(to: directory.file("t"))
    let tensor = try SafetensorsFile(contentsOf: directory.file("t")).tensor(named: "t")
    #expect(tensor.scalars(as: Float.self).last == 4999)
  }

  @Test func bodyErrorsComeThroughTyped() throws {
    struct Stop: Error {}
    let directory = try TemporaryDirectory()
    var writer = SafetensorsWriter()
    try writer.add("t", [1] as [Float], shape: [1])
    try writer.write(to: directory.file("t"))
    let tensor = try SafetensorsFile(contentsOf: directory.file("t")).tensor(named: "t")
    do throws(Stop) {
      try tensor.withUnsafeBytes { _ throws(Stop) in throw Stop() }
      Issue.record("expected the body's error")
    } catch {
      let _: Stop = error
    }
  }

  @Test func layoutIsAlignedAndIndependentOfOrder() throws {
    let directory = try TemporaryDirectory()
    var generator = SeededGenerator(seed: 7)
    let types = SafetensorsType.allCases
    var first: [UInt8]?
    for round in 0..<4 {
      let path = directory.file("\(round)")
      var writer = SafetensorsWriter(metadata: ["b": "2", "a": "1", "c": "3"])
      for type in types.shuffled(using: &generator) {
        for suffix in ["x", "y"].shuffled(using: &generator) {
          let data = [UInt8](repeating: UInt8(type.byteCount), count: 3 * type.byteCount)
          try writer.add(type.rawValue + suffix, type: type, shape: [3], bytes: data)
        }
      }
      try writer.write(to: path)
      let file = try SafetensorsFile(contentsOf: path)
      for name in file.names {
        let tensor = try file.tensor(named: name)
        // The mapping begins at a page, so addresses show the alignment within the file.
        let address = tensor.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        #expect(address.isMultiple(of: tensor.type.byteCount), "\(name)")
      }
      let sizes = try file.names.map { try file.tensor(named: $0).type.byteCount }
      #expect(sizes == sizes.sorted(by: >))
      first = try first ?? bytes(of: path)
      #expect(try bytes(of: path) == first)
    }
  }
}
