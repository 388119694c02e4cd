/// The parts of a text within which pieces are merged.
enum PieceRuns {
  private enum Kind { case letters, digits, ideographs, sign }

  /// The runs in order, each with the space before it; their scalars together are the text with single spaces, and one
  /// in front where it begins with a letter or digit.
  static func runs(of text: String, lowercased: Bool) -> [[Unicode.Scalar]] {
    var runs: [[Unicode.Scalar]] = []
    var open: Kind?
    var spaced = false
    for scalar in (lowercased ? text.lowercased() : text).unicodeScalars {
      if scalar.isSpace {
        spaced = true
        open = nil
        continue
      }
      let kind: Kind =
        scalar.isMark && open != nil
        ? open!
        : scalar.isSpacedLetter ? .letters : scalar.isNumber ? .digits : scalar.isIdeographic ? .ideographs : .sign
      if kind == open, kind != .sign || scalar.isMark {
        runs[runs.count - 1].append(scalar)
      } else {
        let space = runs.isEmpty ? kind == .letters || kind == .digits : spaced
        runs.append(space ? [" ", scalar] : [scalar])
      }
      open = kind
      spaced = false
    }
    return runs
  }
}

/// Numbers for pieces.
struct PieceSymbols: Sendable {
  private(set) var pieces: [String] = []
  private var numbers: [String: Int32] = [:]

  /// The number of a piece that has one.
  subscript(piece: String) -> Int32? { numbers[piece] }

  /// The number of a piece, from now on.
  mutating func number(of piece: String) -> Int32 {
    if let number = numbers[piece] { return number }
    let number = Int32(pieces.count)
    pieces.append(piece)
    numbers[piece] = number
    return number
  }

  /// A pair of numbers as one.
  static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
