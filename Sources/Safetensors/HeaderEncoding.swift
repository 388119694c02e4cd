extension Header {
  /// The header length and the header, as they stand in a file: no white space but the spaces at the end that bring
  /// the data section to a multiple of 8. Metadata is ordered by the UTF-8 of its keys: equal headers give equal bytes.
  func encoded() throws(SafetensorsError) -> [UInt8] {
    var json: [UInt8] = [UInt8(ascii: "{")]
    var separator = ""
    if !metadata.isEmpty {
      json.append(contentsOf: "\"\(Self.metadataKey)\":{".utf8)
      for (key, value) in metadata.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.append(contentsOf: separator.utf8)
        json.appendJSONString(key)
        json.append(UInt8(ascii: ":"))
        json.appendJSONString(value)
        separator = ","
      }
      json.append(UInt8(ascii: "}"))
      separator = ","
    }
    for entry in entries {
      json.append(contentsOf: separator.utf8)
      json.appendJSONString(entry.name)
      let shape = entry.shape.map(String.init).joined(separator: ",")
      json.append(contentsOf: ":{\"dtype\":\"\(entry.type.rawValue)\",\"shape\":[\(shape)],".utf8)
      json.append(contentsOf: "\"data_offsets\":[\(entry.begin),\(entry.end)]}".utf8)
      separator = ","
    }
    json.append(UInt8(ascii: "}"))
    while !json.count.isMultiple(of: 8) {
      json.append(UInt8(ascii: " "))
    }
    guard json.count <= Self.maximumLength else {
      throw SafetensorsError(.headerTooLong(length: UInt64(json.count)))
    }
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
  }
}

extension [UInt8] {
  /// Appends `text` as a JSON string with the fewest escapes.
  fileprivate mutating func appendJSONString(_ text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): append(contentsOf: "\\\\".utf8)
      case 0x08: append(contentsOf: "\\b".utf8)
      case 0x09: append(contentsOf: "\\t".utf8)
      case 0x0A: append(contentsOf: "\\n".utf8)
      case 0x0C: append(contentsOf: "\\f".utf8)
      case 0x0D: append(contentsOf: "\\r".utf8)
      case 0..<0x10: append(contentsOf: "\\u000\(String(byte, radix: 16))".utf8)
      case 0x10..<0x20: append(contentsOf: "\\u00\(String(byte, radix: 16))".utf8)
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
