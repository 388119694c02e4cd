/// Text as the scores see it: single Unicode scalars, compared exactly.
typealias ScoreText = [Unicode.Scalar]

extension Unicode.Scalar {
  /// What divides words for the scores: Unicode's white space, and the four separators of ASCII, as in Python.
  var dividesScoredWords: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20: true
    case ..<0x80: false
    default: properties.isWhitespace
    }
  }
}

extension Array where Element == Unicode.Scalar {
  /// A text's scalars, or those of it in lower case by Unicode's full mapping: a capital sigma that ends a word becomes
  /// ς, which the standard library leaves out.
  init(_ text: String, lowercased: Bool) {
    guard lowercased else {
      self.init(text.unicodeScalars)
      return
    }
    let scalars = Array(text.unicodeScalars)
    self = []
    reserveCapacity(scalars.count)
    for (index, scalar) in scalars.enumerated() {
      if scalar == "Σ", scalars[..<index].last(where: { !$0.properties.isCaseIgnorable })?.properties.isCased == true,
        scalars[(index + 1)...].first(where: { !$0.properties.isCaseIgnorable })?.properties.isCased != true
      {
        append("ς")
      } else {
        append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
  }

  /// Without white space at its end.
  var withoutTrailingSpace: ArraySlice<Unicode.Scalar> {
    self[..<(lastIndex { !$0.dividesScoredWords }.map { $0 + 1 } ?? 0)]
  }

  /// What stands between white space.
  var scoredWords: [ScoreText] { split(whereSeparator: \.dividesScoredWords).map(Array.init) }

  /// With each occurrence of an ASCII text replaced.
  func replacing(_ pattern: StaticString, with replacement: StaticString) -> ScoreText {
    let pattern = Array("\(pattern)".unicodeScalars)
    let replacement = Array("\(replacement)".unicodeScalars)
    var result: ScoreText = []
    result.reserveCapacity(count)
    var index = 0
    while index < count {
      if self[index...].starts(with: pattern) {
        result += replacement
        index += pattern.count
      } else {
        result.append(self[index])
        index += 1
      }
    }
    return result
  }

  /// With a space on both sides of each scalar that fits.
  func setApart(where fits: (Unicode.Scalar) -> Bool) -> ScoreText {
    flatMap { fits($0) ? [" ", $0, " "] : [$0] as ScoreText }
  }

  /// From the left, each two neighbours that fit replaced; the search goes on behind them.
  func replacingPairs(
    where fits: (Unicode.Scalar, Unicode.Scalar) -> Bool,
    with replacement: (Unicode.Scalar, Unicode.Scalar) -> ScoreText
  ) -> ScoreText {
    var result: ScoreText = []
    result.reserveCapacity(count * 2)
    var index = 0
    while index < count {
      if index + 1 < count, fits(self[index], self[index + 1]) {
        result += replacement(self[index], self[index + 1])
        index += 2
      } else {
        result.append(self[index])
        index += 1
      }
    }
    return result
  }
}
