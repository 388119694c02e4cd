extension Header {
  /// Reads and checks the header of `file`, a whole file's bytes. On return the entries, one after the other,
  /// cover the data section exactly.
  init(decoding file: UnsafeRawBufferPointer) throws(SafetensorsError) {
    guard file.count >= Self.lengthByteCount else {
      throw SafetensorsError(.missingHeaderLength(byteCount: file.count))
    }
    let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(Self.maximumLength) else { throw SafetensorsError(.headerTooLong(length: length)) }
    let available = file.count - Self.lengthByteCount
    guard length <= UInt64(available) else {
      throw SafetensorsError(.headerTruncated(length: length, available: available))
    }
    dataOffset = Self.lengthByteCount + Int(length)

    let json = UnsafeRawBufferPointer(rebasing: file[Self.lengthByteCount..<dataOffset])
    guard json.first == UInt8(ascii: "{") else {
      throw SafetensorsError(.headerStart(found: json.first.map { "byte \($0)" } ?? "a header of 0 bytes"))
    }
    try decode(json)
    try checkLayout(dataByteCount: file.count - dataOffset)
  }

  private mutating func decode(_ json: UnsafeRawBufferPointer) throws(SafetensorsError) {
    var reader = JSONReader(json)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    try reader.object("the header") { (reader, name) throws(SafetensorsError) in
      if name == Self.metadataKey {
        metadata = try Self.decodeMetadata(&reader)
      } else {
        do throws(SafetensorsError) {
          entries.append(try Self.decodeEntry(name, &reader))
        } catch {
          throw error.ofTensor(name)
        }
      }
    }
    try reader.end()
    self.metadata = metadata
    self.entries = entries
  }

  private static func decodeMetadata(_ reader: inout JSONReader) throws(SafetensorsError) -> [String: String] {
    var metadata: [String: String] = [:]
    let object = "the object \(metadataKey)"
    try reader.object(object) { (reader, key) throws(SafetensorsError) in
      // Swift compares strings by canonical equivalence: keys that differ in UTF-8 alone would overwrite each other.
      guard metadata[key] == nil else { throw SafetensorsError(.duplicateKey(key, within: object)) }
      metadata[key] = try reader.string("a string as metadata \(key.quoted)")
    }
    return metadata
  }

  /// Fields beyond the three are skipped, as the reference implementation does.
  private static func decodeEntry(_ name: String, _ reader: inout JSONReader) throws(SafetensorsError) -> Entry {
    var type: SafetensorsType?
    var shape: [Int]?
    var offsets: [Int]?
    try reader.object("the tensor's object") { (reader, field) throws(SafetensorsError) in
      switch field {
      case "dtype":
        let spelling = try reader.string("a string as dtype")
        guard let known = SafetensorsType(rawValue: spelling) else { throw SafetensorsError(.unknownType(spelling)) }
        type = known
      case "shape":
        shape = try decodeShape(&reader)
      case "data_offsets":
        offsets = try decodeOffsets(&reader)
      default:
        try reader.anyValue()
      }
    }
    guard let type else { throw SafetensorsError(.missingField("dtype")) }
    guard let shape else { throw SafetensorsError(.missingField("shape")) }
    guard let offsets else { throw SafetensorsError(.missingField("data_offsets")) }
    return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private static func decodeShape(_ reader: inout JSONReader) throws(SafetensorsError) -> [Int] {
    var shape: [Int] = []
    try reader.array("an array as shape") { (reader) throws(SafetensorsError) in
      guard shape.count < maximumRank else { throw SafetensorsError(.tooManyAxes(limit: maximumRank)) }
      shape.append(try reader.integer("an integer from 0 to \(Int.max) as extent"))
    }
    return shape
  }

  /// Exactly two.
  private static func decodeOffsets(_ reader: inout JSONReader) throws(SafetensorsError) -> [Int] {
    var offsets: [Int] = []
    try reader.array("an array as data_offsets") { (reader) throws(SafetensorsError) in
      guard offsets.count < 2 else { throw SafetensorsError(.offsetCount(3)) }
      offsets.append(try reader.integer("an integer from 0 to \(Int.max) as offset"))
    }
    guard offsets.count == 2 else { throw SafetensorsError(.offsetCount(offsets.count)) }
    return offsets
  }

  /// Sorts the entries by offset and checks that they cover the data without overlap or hole.
  private mutating func checkLayout(dataByteCount: Int) throws(SafetensorsError) {
    for entry in entries {
      do throws(SafetensorsError) {
        try entry.check(dataByteCount: dataByteCount)
      } catch {
        throw error.ofTensor(entry.name)
      }
    }
    // The place in the header decides between empty tensors at the same offset: the order is then the file's own.
    entries = entries.enumerated()
      .sorted { ($0.element.begin, $0.element.end, $0.offset) < ($1.element.begin, $1.element.end, $1.offset) }
      .map(\.element)
    var covered = 0
    var previous = ""
    for entry in entries {
      if entry.begin < covered {
        throw SafetensorsError(
          .overlap(other: previous, begin: entry.begin, otherEnd: covered), tensor: entry.name)
      }
      if entry.begin > covered { throw SafetensorsError(.hole(begin: covered, end: entry.begin)) }
      covered = entry.end
      previous = entry.name
    }
    if covered < dataByteCount { throw SafetensorsError(.hole(begin: covered, end: dataByteCount)) }
  }
}

extension Header.Entry {
  fileprivate func check(dataByteCount: Int) throws(SafetensorsError) {
    guard begin <= end else { throw SafetensorsError(.reversedOffsets(begin: begin, end: end)) }
    let expected = try type.byteCount(ofShape: shape)
    guard end - begin == expected else {
      throw SafetensorsError(
        .byteCountMismatch(type: type, shape: shape, expected: expected, found: end - begin))
    }
    guard end <= dataByteCount else {
      throw SafetensorsError(.offsetsOutOfRange(begin: begin, end: end, available: dataByteCount))
    }
  }
}
