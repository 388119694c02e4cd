/// The pieces of words that a model knows, by number: the lines of a `vocab.txt`, counted from 0.
///
/// Pieces are compared by their UTF-8. Swift's own comparison takes canonically equivalent strings for the same, and a
/// vocabulary holds both "é" as one scalar and as two.
public struct Vocabulary: Sendable {
  /// The number of lines.
  public let count: Int
  /// Marks the beginning of a sequence: `[CLS]`.
  public let start: Int
  /// Marks the end of a sequence: `[SEP]`.
  public let end: Int
  /// What stands for a word that cannot be put together from pieces: `[UNK]`.
  public let unknown: Int
  /// The bytes of the longest piece.
  let longest: Int
  private let numbers: [[UInt8]: Int]

  /// Reads a `vocab.txt`: a piece on each line; of equal ones the last counts.
  public init(contentsOf path: String) throws(ModelError) {
    let bytes = [UInt8](try contents(of: path))
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty ?? false { lines.removeLast() }
    var numbers: [[UInt8]: Int] = [:]
    numbers.reserveCapacity(lines.count)
    for (number, line) in lines.enumerated() {
      numbers[Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)] = number
    }
    func special(_ name: String) throws(ModelError) -> Int {
      guard let number = numbers[Array(name.utf8)] else {
        throw ModelError(path, "expected a vocabulary with '\(name)', found none among \(lines.count) lines")
      }
      return number
    }
    start = try special("[CLS]")
    end = try special("[SEP]")
    unknown = try special("[UNK]")
    longest = numbers.keys.map(\.count).max() ?? 0
    count = lines.count
    self.numbers = numbers
  }

  /// The number of a piece; nil when it is not in the vocabulary.
  public subscript(_ piece: String) -> Int? { numbers[Array(piece.utf8)] }

  subscript(_ piece: [UInt8]) -> Int? { numbers[piece] }
}
