import Safetensors
import Testing

/// Files whose header is damaged before its meaning matters: lengths, encoding, JSON.
@Suite struct HeaderRejectionTests {
  private let valid = "{" + entry("a", "F32", "[1]", "[0,4]") + "}"

  @Test(arguments: 0..<8)
  func fileEndsInHeaderLength(count: Int) throws {
    let error = try opening([UInt8](repeating: 0, count: count))
    #expect(error?.reason == .missingHeaderLength(byteCount: count))
  }

  @Test func headerOfNoBytes() throws {
    #expect(try opening(header: "")?.reason == .headerStart(found: "a header of 0 bytes"))
  }

  @Test func headerLengthBeyondFile() throws {
    let error = try opening(fileBytes(header: "{}", length: 3))
    #expect(error?.reason == .headerTruncated(length: 3, available: 2))
  }

  @Test func headerLengthBeyondFileWithinLimit() throws {
    let error = try opening(fileBytes(header: "{}", length: 100_000_000))
    #expect(error?.reason == .headerTruncated(length: 100_000_000, available: 2))
  }

  @Test(arguments: [100_000_001, UInt64(Int.max) - 7, UInt64(Int.max) + 1, .max - 8, .max - 7, .max])
  func headerLengthBeyondLimit(length: UInt64) throws {
    #expect(try opening(fileBytes(header: "{}", length: length))?.reason == .headerTooLong(length: length))
  }

  @Test(arguments: [" {}", "\n{}", "[]", "\u{FEFF}{}", "null", "\u{0}"])
  func headerBeginsOtherwise(header: String) throws {
    #expect(try opening(header: header)?.reason == .headerStart(found: "byte \(header.utf8.first!)"))
  }

  @Test(arguments: ["\n", "\t", "\r", "\u{0}", "x", "{}", " \n", ","])
  func trailingBytesOtherThanSpaces(tail: String) throws {
    guard case .unexpectedJSON(_, "nothing but spaces", _) = try opening(header: valid + tail, dataCount: 4)?.reason
    else {
      Issue.record("accepted \(tail.debugDescription)")
      return
    }
  }

  @Test func trailingSpacesAndInnerWhiteSpaceAreFine() throws {
    let directory = try TemporaryDirectory()
    let header = "{\n \"a\" :\t{ \"shape\" : [ ],\r\n\"data_offsets\":[0 , 4 ] ,\"dtype\":\"F32\" } }   "
    let path = try directory.store(fileBytes(header: header, data: [0, 0, 128, 63]))
    #expect(try SafetensorsFile(contentsOf: path).tensor(named: "a").scalars() == [1 as Float])
  }

  @Test(
    arguments: [
      [0xFF], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xE2, 0x82],
    ] as [[UInt8]])
  func nameIsNotUTF8(bytes: [UInt8]) throws {
    let header = Array("{\"".utf8) + bytes + Array("\":0}".utf8)
    #expect(try opening(fileBytes(header: header))?.reason == .invalidUTF8(offset: 1))
  }

  @Test func bytesOutsideStringsAreNotASCII() throws {
    let error = try opening(fileBytes(header: [UInt8(ascii: "{"), 0xC3, 0xA9, UInt8(ascii: "}")]))
    #expect(error?.reason == .unexpectedJSON(offset: 1, expected: "a key of the header", found: "byte 195"))
  }

  @Test(arguments: [
    #"\ud800"#, #"\udc00"#, #"\ud800\ud800"#, #"\ud800x"#, #"\ud800\n"#, #"\u12"#, #"\u12G4"#, #"\u"#, #"\x"#,
    #"\ud83d\u0041"#, #"\u+123"#, "\u{1}", "\n",
  ])
  func stringHasABadEscape(text: String) throws {
    guard case .unexpectedJSON = try opening(header: "{\"\(text)\":0}")?.reason else {
      Issue.record("accepted \(text.debugDescription)")
      return
    }
  }

  @Test func escapesAreReplaced() throws {
    let directory = try TemporaryDirectory()
    let escapes = #"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83D\uDe00\u0000"#
    let path = try directory.store(fileBytes(header: "{" + entry(escapes, "U8", "[0]", "[0,0]") + "}"))
    #expect(try SafetensorsFile(contentsOf: path).names == ["\"\\/\u{8}\u{C}\n\r\tAé€😀\u{0}"])
  }

  @Test(arguments: [
    "{", "{\"", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":{", "{\"a\":{}", "{,}", "{\"a\" 0}", "{a:0}",
    "{'a':0}", "{\"a\":}", "{\"__metadata__\":{},}", "{\"__metadata__\":{\"k\":\"v\",}}", "{\"__metadata__\":{}", "{]",
  ])
  func jsonIsBroken(header: String) throws {
    guard let error = try opening(header: header) else { return }
    switch error.reason {
    case .unexpectedJSON: break
    case .missingField: #expect(header == "{\"a\":{}")
    default: Issue.record("\(header): \(error)")
    }
  }

  @Test(arguments: [
    "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "tru", "nul", "falsee", "'x'", "[1,]", "[",
    "{]", "//", "\u{1}",
  ])
  func ignoredFieldIsNotJSON(value: String) throws {
    let header = "{\"a\":{\"x\":\(value),\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"
    guard case .unexpectedJSON = try opening(header: header)?.reason else {
      Issue.record("accepted \(value.debugDescription)")
      return
    }
  }

  @Test func unknownFieldsAreIgnored() throws {
    let directory = try TemporaryDirectory()
    let extra = #""x":[{"y":[-1.5e+3,0,true,false,null,"\n",[],{}]}],"z":123456789012345678901234567890"#
    let header = "{\"a\":{\(extra),\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"
    let path = try directory.store(fileBytes(header: header, data: [3]))
    #expect(try SafetensorsFile(contentsOf: path).tensor(named: "a").integers() == [3])
  }

  @Test(arguments: ["[", "{\"x\":"])
  func junkIsNestedDeeply(bracket: String) throws {
    let error = try opening(header: "{\"a\":{\"x\":" + String(repeating: bracket, count: 100_000))
    #expect(error?.reason == .nestedTooDeeply(limit: 64))
  }

  @Test func metadataValueIsNoString() throws {
    for value in ["1", "null", "true", "{}", "[\"v\"]"] {
      let error = try opening(header: "{\"__metadata__\":{\"k\":\(value)}}")
      #expect(
        error?.reason
          == .unexpectedJSON(
            offset: 21, expected: "a string as metadata \"k\"", found: "\"\(value.first!)\""))
    }
  }

  @Test(arguments: ["null", "[]", "\"text\"", "1"])
  func metadataIsNoObject(value: String) throws {
    let error = try opening(header: "{\"__metadata__\":\(value)}")
    #expect(
      error?.reason
        == .unexpectedJSON(offset: 16, expected: "the object __metadata__", found: "\"\(value.first!)\""))
  }

  @Test func metadataKeyTwice() throws {
    let error = try opening(header: #"{"__metadata__":{"k":"1","\u006b":"2"}}"#)
    #expect(error?.reason == .duplicateKey("k", within: "the object __metadata__"))
  }

  @Test func metadataKeysThatSwiftCannotTellApart() throws {
    let error = try opening(header: "{\"__metadata__\":{\"\u{E9}\":\"1\",\"e\u{301}\":\"2\"}}")
    #expect(error?.reason == .duplicateKey("\u{E9}", within: "the object __metadata__"))
  }

  @Test func metadataTwice() throws {
    let error = try opening(header: #"{"__metadata__":{},"__metadata__":{}}"#)
    #expect(error?.reason == .duplicateKey("__metadata__", within: "the header"))
  }
}
