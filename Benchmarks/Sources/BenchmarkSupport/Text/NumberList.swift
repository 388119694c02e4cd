/// Numbers as they are written on a command line: `512,1024,2048`.
public struct NumberList: Sendable, Equatable, CustomStringConvertible {
  /// In the order given.
  public let values: [Int]

  /// A list of these numbers.
  public init(_ values: [Int]) { self.values = values }

  /// Positive whole numbers between commas; nil for anything else.
  public init?(text: String) {
    var values: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let value = Int(part), value > 0 else { return nil }
      if !values.contains(value) { values.append(value) }
    }
    self.values = values
  }

  /// Joined by commas.
  public var description: String { values.map(String.init).joined(separator: ",") }

  /// Powers of two below `maximum`, then `maximum`.
  public static func powersOfTwo(upTo maximum: Int) -> NumberList {
    var values: [Int] = []
    var value = 1
    while value < maximum {
      values.append(value)
      value *= 2
    }
    return NumberList(values + [max(maximum, 1)])
  }
}
