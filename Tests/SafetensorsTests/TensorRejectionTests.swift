import Safetensors
import Testing

/// Headers that are JSON but describe impossible tensors.
@Suite struct TensorRejectionTests {
  private func rejection(
    _ type: String = "F32", _ shape: String = "[1]", _ offsets: String = "[0,4]", dataCount: Int = 4,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> SafetensorsError.Reason? {
    let header = "{" + entry("a", type, shape, offsets) + "}"
    let error = try opening(header: header, dataCount: dataCount, sourceLocation: sourceLocation)
    #expect(error?.tensor == "a", sourceLocation: sourceLocation)
    return error?.reason
  }

  @Test func nameTwice() throws {
    let header = "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry(#"\u0061"#, "F32", "[1]", "[4,8]") + "}"
    let error = try opening(header: header, dataCount: 8)
    #expect(error?.reason == .duplicateKey("a", within: "the header"))
  }

  @Test func fieldTwice() throws {
    let header = #"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#
    let error = try opening(header: header)
    #expect(error?.reason == .duplicateKey("dtype", within: "the tensor's object"))
    #expect(error?.tensor == "a")
  }

  @Test(arguments: ["dtype", "shape", "data_offsets"])
  func fieldMissing(field: String) throws {
    let fields = ["dtype": "\"U8\"", "shape": "[0]", "data_offsets": "[0,0]"].filter { $0.key != field }
    let body = fields.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    #expect(try opening(header: "{\"a\":{\(body)}}")?.reason == .missingField(field))
  }

  @Test(arguments: ["[\"F32\",[1],[0,4]]", "null", "1", "\"F32\""])
  func entryIsNoObject(value: String) throws {
    let error = try opening(header: "{\"a\":\(value)}")
    #expect(
      error?.reason
        == .unexpectedJSON(offset: 5, expected: "the tensor's object", found: "\"\(value.first!)\""))
  }

  @Test(arguments: ["F8_E4M3", "f32", "", "F32 ", "C64", "F4"])
  func unknownType(type: String) throws {
    #expect(try rejection(type) == .unknownType(type))
  }

  @Test func typeIsNoString() throws {
    let error = try opening(header: #"{"a":{"dtype":32}}"#)
    #expect(error?.reason == .unexpectedJSON(offset: 14, expected: "a string as dtype", found: "\"3\""))
  }

  @Test(arguments: ["-1", "-0", "1.0", "1.5", "1e0", "9223372036854775808", "18446744073709551616"])
  func extentIsNoInteger(extent: String) throws {
    #expect(
      try rejection("F32", "[\(extent)]")
        == .unexpectedJSON(
          offset: 29, expected: "an integer from 0 to \(Int.max) as extent", found: extent))
  }

  @Test func extentIsGigantic() throws {
    let digits = String(repeating: "9", count: 10_000)
    #expect(
      try rejection("F32", "[\(digits)]")
        == .unexpectedJSON(
          offset: 29, expected: "an integer from 0 to \(Int.max) as extent", found: digits.prefix(60) + "…"))
  }

  @Test(arguments: ["-4", "-0", "4.0", "4e0", "9223372036854775808", "99999999999999999999999"])
  func offsetIsNoInteger(offset: String) throws {
    #expect(
      try rejection("F32", "[1]", "[0,\(offset)]")
        == .unexpectedJSON(
          offset: 50, expected: "an integer from 0 to \(Int.max) as offset", found: offset))
  }

  @Test(arguments: ["[\"1\"]", "[null]", "[[1]]", "[{}]", "{}", "1", "null"])
  func shapeIsNoArrayOfIntegers(shape: String) throws {
    guard case .unexpectedJSON = try rejection("F32", shape) else {
      Issue.record("accepted \(shape)")
      return
    }
  }

  @Test(arguments: [("[]", 0), ("[0]", 1), ("[0,4,4]", 3), ("[0,4,4,4,4]", 3)])
  func offsetsAreNotTwo(offsets: String, count: Int) throws {
    #expect(try rejection("F32", "[1]", offsets) == .offsetCount(count))
  }

  @Test func offsetsAreReversed() throws {
    #expect(try rejection("F32", "[1]", "[4,0]") == .reversedOffsets(begin: 4, end: 0))
  }

  @Test func offsetsBeyondData() throws {
    #expect(try rejection(dataCount: 3) == .offsetsOutOfRange(begin: 0, end: 4, available: 3))
    let end = Int.max - 3
    #expect(
      try rejection("U8", "[\(end)]", "[0,\(end)]") == .offsetsOutOfRange(begin: 0, end: end, available: 4))
    #expect(
      try rejection("U8", "[1]", "[\(Int.max - 1),\(Int.max)]")
        == .offsetsOutOfRange(begin: Int.max - 1, end: .max, available: 4))
  }

  @Test func emptyTensorBeyondData() throws {
    #expect(
      try rejection("U8", "[0]", "[5,5]") == .offsetsOutOfRange(begin: 5, end: 5, available: 4))
  }

  @Test func byteCountDiffers() throws {
    #expect(try rejection("F32", "[2]") == .byteCountMismatch(type: .f32, shape: [2], expected: 8, found: 4))
    #expect(try rejection("F64", "[]") == .byteCountMismatch(type: .f64, shape: [], expected: 8, found: 4))
    #expect(try rejection("F32", "[0]") == .byteCountMismatch(type: .f32, shape: [0], expected: 0, found: 4))
    #expect(
      try rejection("U8", "[4,0]", "[0,1]") == .byteCountMismatch(type: .u8, shape: [4, 0], expected: 0, found: 1))
  }

  @Test(arguments: [
    [Int.max, 2], [1 << 32, 1 << 32], [1 << 61, 2], [Int.max], [Int.max, Int.max, 0], [0, Int.max, Int.max],
    [1 << 31, 0, 1 << 31],
  ])
  func shapeOverflows(shape: [Int]) throws {
    let type = SafetensorsType.f32
    #expect(try rejection("F32", "\(shape)", "[0,0]", dataCount: 0) == .shapeOverflow(type: type, shape: shape))
  }

  @Test func shapeHasTooManyAxes() throws {
    let ones = Array(repeating: 1, count: 65)
    #expect(try rejection("F32", "\(ones)") == .tooManyAxes(limit: 64))
    let directory = try TemporaryDirectory()
    let header = "{" + entry("a", "U8", "\(ones.dropLast())", "[0,1]") + "}"
    let path = try directory.store(fileBytes(header: header, data: [0]))
    #expect(try SafetensorsFile(contentsOf: path).tensor(named: "a").shape.count == 64)
  }

  @Test func tensorsOverlap() throws {
    let header = "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]", "[4,12]") + "}"
    let error = try opening(header: header, dataCount: 12)
    #expect(error?.reason == .overlap(other: "a", begin: 4, otherEnd: 8))
    #expect(error?.tensor == "b")
  }

  @Test func tensorsShareTheirData() throws {
    let header = "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[1]", "[0,4]") + "}"
    #expect(try opening(header: header, dataCount: 4)?.reason == .overlap(other: "a", begin: 0, otherEnd: 4))
  }

  @Test func emptyTensorInsideAnother() throws {
    let header = "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F32", "[0]", "[2,2]") + "}"
    #expect(try opening(header: header, dataCount: 4)?.reason == .overlap(other: "a", begin: 2, otherEnd: 4))
  }

  @Test func holeBeforeBetweenAndAfter() throws {
    let first = entry("a", "U8", "[1]", "[1,2]")
    let second = entry("b", "U8", "[1]", "[3,4]")
    #expect(try opening(header: "{\(first)}", dataCount: 2)?.reason == .hole(begin: 0, end: 1))
    #expect(
      try opening(header: "{" + entry("a", "U8", "[1]", "[0,1]") + ",\(second)}", dataCount: 4)?.reason
        == .hole(begin: 1, end: 3))
    #expect(
      try opening(header: "{" + entry("a", "U8", "[1]", "[0,1]") + "}", dataCount: 9)?.reason
        == .hole(begin: 1, end: 9))
    #expect(try opening(header: "{}", dataCount: 1)?.reason == .hole(begin: 0, end: 1))
  }

  @Test func orderInTheHeaderIsFree() throws {
    let directory = try TemporaryDirectory()
    let entries = [
      entry("c", "U8", "[1]", "[2,3]"), entry("e", "U8", "[0]", "[2,2]"), entry("b", "U8", "[2]", "[0,2]"),
      entry("d", "F32", "[0,9]", "[2,2]"),
    ]
    let path = try directory.store(
      fileBytes(header: "{" + entries.joined(separator: ",") + "}", data: [1, 2, 3]))
    let file = try SafetensorsFile(contentsOf: path)
    #expect(file.names == ["b", "e", "d", "c"])
    #expect(try file.tensor(named: "c").integers() == [3])
  }

  @Test func nameIsUnknown() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.store(fileBytes(header: "{}"))
    let file = try SafetensorsFile(contentsOf: path)
    #expect(!file.contains("query"))
    let error = #expect(throws: SafetensorsError.self) { try file.tensor(named: "query") }
    #expect(error == SafetensorsError(.noSuchTensor, path: path, tensor: "query"))
  }

  @Test func messageNamesFileTensorAndBothSides() {
    let error = SafetensorsError(
      .byteCountMismatch(type: .f32, shape: [2, 2], expected: 16, found: 12), path: "m.safetensors", tensor: "query")
    #expect(error.description == "m.safetensors: tensor \"query\": expected 16 bytes for F32 [2, 2], found 12")
  }

  @Test func messageStaysOneShortLineWhateverTheNames() {
    let name = "a\n\u{1B}[31m\u{2028}\u{202E}" + String(repeating: "x", count: 100_000)
    let error = SafetensorsError(.unknownType(name), path: "p\nq", tensor: name)
    #expect(error.description.count < 1000)
    #expect(error.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    #expect(error.description.hasPrefix("p\\u{a}q: tensor \"a\\u{a}\\u{1b}[31m\\u{2028}\\u{202e}xxx"))
  }
}
