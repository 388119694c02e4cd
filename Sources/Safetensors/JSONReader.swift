/// A strict reader of the JSON in a header: it walks the bytes once and builds no tree.
///
/// Each method consumes what it is named after, with the white space before it, or throws. A key that occurs twice
/// in an object is an error; keys are the same when their UTF-8 is. The bytes must outlive the reader.
struct JSONReader {
  /// Arrays and objects within each other; far above what a header needs, far below what a stack holds.
  static let maximumDepth = 64

  private let bytes: UnsafeRawBufferPointer
  private var position = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// An object; `member` is called behind each key's colon and must consume the value.
  mutating func object(
    _ expected: String,
    member: (inout JSONReader, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try open("{", expected)
    var keys: Set<[UInt8]> = []
    if skip("}") { return close() }
    repeat {
      let key = try string("a key of " + expected)
      guard keys.insert(Array(key.utf8)).inserted else {
        throw SafetensorsError(.duplicateKey(key, within: expected))
      }
      try require(":")
      try member(&self, key)
    } while skip(",")
    try require("}", or: ",")
    close()
  }

  /// An array; `element` is called before each element and must consume it.
  mutating func array(
    _ expected: String,
    element: (inout JSONReader) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try open("[", expected)
    if skip("]") { return close() }
    repeat {
      try element(&self)
    } while skip(",")
    try require("]", or: ",")
    close()
  }

  /// A string, its escapes replaced.
  mutating func string(_ expected: String) throws(SafetensorsError) -> String {
    skipWhiteSpace()
    let start = position
    guard skip("\"") else { throw unexpected(expected) }
    var text: [UInt8] = []
    while true {
      guard let byte = peek else { throw unexpected("the end of the string") }
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw SafetensorsError(.invalidUTF8(offset: start))
        }
        return string
      case UInt8(ascii: "\\"):
        position += 1
        text.append(contentsOf: try escape().utf8)
      case 0..<0x20:
        throw unexpected("an escaped control character")
      default:
        position += 1
        text.append(byte)
      }
    }
  }

  /// A number without sign, fraction or exponent that fits into `Int`.
  mutating func integer(_ expected: String) throws(SafetensorsError) -> Int {
    skipWhiteSpace()
    let start = position
    guard let first = peek, isDigit(first) || first == UInt8(ascii: "-") else { throw unexpected(expected) }
    try number()
    let token = bytes[start..<position]
    var value = 0
    for byte in token {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(byte) - Int(UInt8(ascii: "0")))
      guard isDigit(byte), !overflow, !carry else {
        let found = String(decoding: token.prefix(60), as: UTF8.self) + (token.count > 60 ? "…" : "")
        throw SafetensorsError(.unexpectedJSON(offset: start, expected: expected, found: found))
      }
      value = sum
    }
    return value
  }

  /// Any value, thrown away.
  mutating func anyValue() throws(SafetensorsError) {
    skipWhiteSpace()
    switch peek {
    case UInt8(ascii: "{"):
      try object("an object") { (reader, _) throws(SafetensorsError) in try reader.anyValue() }
    case UInt8(ascii: "["):
      try array("an array") { (reader) throws(SafetensorsError) in try reader.anyValue() }
    case UInt8(ascii: "\""):
      _ = try string("a string")
    case UInt8(ascii: "t"):
      try word("true")
    case UInt8(ascii: "f"):
      try word("false")
    case UInt8(ascii: "n"):
      try word("null")
    case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
      try number()
    default:
      throw unexpected("a value")
    }
  }

  /// The end of the header. Unlike elsewhere, only spaces may precede it.
  mutating func end() throws(SafetensorsError) {
    while peek == UInt8(ascii: " ") {
      position += 1
    }
    if peek != nil { throw unexpected("nothing but spaces") }
  }
}

extension JSONReader {
  private var peek: UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  /// What stands at the current position, in words.
  private var found: String {
    guard let byte = peek else { return "the end of the header" }
    return 0x20..<0x7F ~= byte ? "\"\(UnicodeScalar(byte))\"" : "byte \(byte)"
  }

  private func unexpected(_ expected: String) -> SafetensorsError {
    SafetensorsError(.unexpectedJSON(offset: position, expected: expected, found: found))
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private mutating func skipWhiteSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func skip(_ symbol: UnicodeScalar) -> Bool {
    skipWhiteSpace()
    guard peek == UInt8(ascii: symbol) else { return false }
    position += 1
    return true
  }

  private mutating func require(_ symbol: UnicodeScalar, or other: UnicodeScalar? = nil) throws(SafetensorsError) {
    guard skip(symbol) else {
      throw unexpected(other.map { "\"\($0)\" or \"\(symbol)\"" } ?? "\"\(symbol)\"")
    }
  }

  private mutating func open(_ bracket: UnicodeScalar, _ expected: String) throws(SafetensorsError) {
    guard skip(bracket) else { throw unexpected(expected) }
    depth += 1
    guard depth <= Self.maximumDepth else { throw SafetensorsError(.nestedTooDeeply(limit: Self.maximumDepth)) }
  }

  private mutating func close() {
    depth -= 1
  }

  private mutating func word(_ word: String) throws(SafetensorsError) {
    for byte in word.utf8 {
      guard peek == byte else { throw unexpected("\"\(word)\"") }
      position += 1
    }
  }

  /// A number of JSON's grammar, at the current position.
  private mutating func number() throws(SafetensorsError) {
    if peek == UInt8(ascii: "-") { position += 1 }
    if peek == UInt8(ascii: "0") {
      position += 1
      if let byte = peek, isDigit(byte) { throw unexpected("a number without leading zeros") }
    } else {
      try digits()
    }
    if peek == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      position += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(SafetensorsError) {
    let start = position
    while let byte = peek, isDigit(byte) {
      position += 1
    }
    if position == start { throw unexpected("a digit") }
  }

  /// What follows a backslash in a string.
  private mutating func escape() throws(SafetensorsError) -> String {
    guard let byte = peek else { throw unexpected("the end of the string") }
    guard byte != UInt8(ascii: "u") else { return String(try escapedScalar()) }
    let scalar: UnicodeScalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = UnicodeScalar(byte)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{C}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    default: throw unexpected("an escape of JSON")
    }
    position += 1
    return String(scalar)
  }

  /// `uXXXX`, or the two that make a surrogate pair, at the current position.
  private mutating func escapedScalar() throws(SafetensorsError) -> UnicodeScalar {
    let first = try codeUnit()
    if let scalar = UnicodeScalar(first) { return scalar }
    guard first < 0xDC00, peek == UInt8(ascii: "\\") else { throw unexpected("a surrogate pair") }
    position += 1
    guard peek == UInt8(ascii: "u") else { throw unexpected("a surrogate pair") }
    let second = try codeUnit()
    guard 0xDC00...0xDFFF ~= second else { throw unexpected("a surrogate pair") }
    // Within the pair's ranges the sum is at most 0x10FFFF and never a surrogate.
    return UnicodeScalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))!
  }

  /// `u` and four hexadecimal digits.
  private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
    position += 1
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw unexpected("four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }
}
