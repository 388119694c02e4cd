/// How many words a translation may have: perSourceToken · Tk + constant, rounded down, of a source of Tk tokens.
public struct LengthLimit: Sendable, Equatable {
  /// Words for each token of the source; finite, 0 or above.
  public var perSourceToken: Double
  /// Words beside those; 0 or above.
  public var constant: Int

  /// The limit, by default 2 · Tk + 20.
  public init(perSourceToken: Double = 2, constant: Int = 20) {
    self.perSourceToken = perSourceToken
    self.constant = constant
  }

  /// How many words the translation of a source of so many tokens may have, without `</s>`.
  public func words(sourceLength: Int) -> Int {
    // Beyond 2⁴⁰ words no difference can be seen.
    Int(min(perSourceToken * Double(sourceLength), 0x1p40)) + min(constant, 1 << 40)
  }

  var isValid: Bool { perSourceToken.isFinite && perSourceToken >= 0 && constant >= 0 }
}
