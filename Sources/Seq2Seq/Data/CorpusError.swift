/// Why sentence pairs could not be read or divided. `description` is one line: the file, the line (counted from 1),
/// what was expected and what came.
public struct CorpusError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What went wrong.
  public enum Reason: Sendable, Equatable {
    /// The system cannot `operation` the file, for this reason.
    case system(operation: String, message: String)
    /// A byte that is no UTF-8, at `offset` of the file and at `column` bytes into the line, counted from 1;
    /// `looksLikeUTF16` when the file begins like UTF-16.
    case notUTF8(offset: Int, column: Int, looksLikeUTF16: Bool)
    /// The line has too few columns.
    case missingColumns(expected: Int, found: Int)
    /// There is nothing in the file but `blankLines` lines without text.
    case noPairs(blankLines: Int)
    /// Of `pairs` pairs, the division would leave none for training, or less than one for a part that was asked for.
    case cannotSplit(pairs: Int, validation: Int, test: Int)
  }

  /// The file, as its path was given; nil where no file is involved.
  public let path: String?
  /// The line, from 1; nil where the whole file is at fault.
  public let line: Int?
  /// What went wrong.
  public let reason: Reason

  /// An error about a file, or a line of it.
  public init(_ reason: Reason, path: String? = nil, line: Int? = nil) {
    self.reason = reason
    self.path = path
    self.line = line
  }

  /// One line without a trailing newline: `FILE:LINE: expected …, found …`.
  public var description: String {
    [path.map { "\($0):" }, line.map { path == nil ? "line \($0): " : "\($0): " } ?? (path == nil ? nil : " ")]
      .compactMap { $0 }.joined() + reason.message
  }
}

extension CorpusError.Reason {
  var message: String {
    switch self {
    case .system(let operation, let message): "cannot \(operation): \(message)"
    case .notUTF8(let offset, let column, let looksLikeUTF16):
      "expected UTF-8, found other bytes at byte \(column) of the line, byte \(offset) of the file"
        + (looksLikeUTF16 ? " (the file looks like UTF-16)" : "")
    case .missingColumns(let expected, let found):
      "expected at least \(expected) columns with tabs between them, found \(found)"
    case .noPairs(let blankLines):
      blankLines == 0
        ? "expected sentence pairs, found an empty file"
        : "expected sentence pairs, found \(blankLines) lines without text"
    case .cannotSplit(let pairs, let validation, let test):
      """
      expected enough pairs for training besides \(validation) for validation and \(test) for test, none of which \
      share a sentence, found \(pairs) in all
      """
    }
  }
}
