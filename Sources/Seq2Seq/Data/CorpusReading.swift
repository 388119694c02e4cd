extension ParallelCorpus {
  /// Reads a file of tab-separated columns, one pair a line, in UTF-8.
  ///
  /// Columns are counted from 1; those beyond the two are ignored. By default the target is in the first and the source
  /// in the second, as in `English ⇥ Chinese ⇥ attribution`. Lines end with LF or CRLF, and a byte order mark is
  /// allowed. White space at both ends of a sentence is left out. Blank lines, and lines with a blank sentence, are
  /// counted and left out. Lines may be of any length.
  ///
  /// - Throws: where the file cannot be read, is not UTF-8, has a line with too few columns, or no pair.
  public init(contentsOf path: String, sourceColumn: Int = 2, targetColumn: Int = 1) throws(CorpusError) {
    try self.init(
      bytes: try Self.bytes(ofFile: path), path: path, sourceColumn: sourceColumn, targetColumn: targetColumn)
  }

  /// Reads bytes as `init(contentsOf:)` reads a file's; `path` is for messages.
  public init(
    bytes: [UInt8], path: String? = nil, sourceColumn: Int = 2, targetColumn: Int = 1
  ) throws(CorpusError) {
    require(
      sourceColumn > 0 && targetColumn > 0,
      "ParallelCorpus: expected columns counted from 1, got \(sourceColumn) and \(targetColumn)")
    self.init([])
    let expected = max(sourceColumn, targetColumn)
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      defer { start = end + 1 }
      line += 1
      guard let text = String(validating: bytes[start..<end], as: UTF8.self) else {
        let column = Self.validPrefix(of: bytes[start..<end])
        throw CorpusError(
          .notUTF8(offset: start + column, column: column + 1, looksLikeUTF16: Self.looksLikeUTF16(bytes)), path: path,
          line: line)
      }
      if text.unicodeScalars.allSatisfy(\.isSpace) {
        blankLines += 1
        continue
      }
      let columns = text.unicodeScalars.split(separator: "\t", omittingEmptySubsequences: false)
      guard columns.count >= expected else {
        throw CorpusError(.missingColumns(expected: expected, found: columns.count), path: path, line: line)
      }
      let pair = SentencePair(
        source: Self.trimmed(columns[sourceColumn - 1]), target: Self.trimmed(columns[targetColumn - 1]))
      if pair.source.isEmpty || pair.target.isEmpty {
        halfEmptyLines += 1
      } else {
        pairs.append(pair)
      }
    }
    guard !pairs.isEmpty else { throw CorpusError(.noPairs(blankLines: blankLines + halfEmptyLines), path: path) }
  }

  private static func trimmed(_ scalars: Substring.UnicodeScalarView) -> String {
    guard let first = scalars.firstIndex(where: { !$0.isSpace }), let last = scalars.lastIndex(where: { !$0.isSpace })
    else { return "" }
    return String(scalars[first...last])
  }

  /// How many bytes in front are UTF-8.
  private static func validPrefix(of bytes: ArraySlice<UInt8>) -> Int {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var count = 0
    while case .valid(let scalar) = parser.parseScalar(from: &iterator) { count += scalar.count }
    return count
  }

  private static func looksLikeUTF16(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
  }

  private static func bytes(ofFile path: String) throws(CorpusError) -> [UInt8] {
    do {
      return try readFile(path)
    } catch {
      throw CorpusError(.system(operation: error.operation, message: error.message), path: path)
    }
  }
}
