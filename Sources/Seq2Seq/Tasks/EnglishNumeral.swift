/// Whole numbers in English words, as the British write them: thirty-two thousand and fifty.
public enum EnglishNumeral {
  /// What can be written: below 10¹⁵.
  public static let range = 0...999_999_999_999_999

  private static let small = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
  ]
  private static let tens = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
  ]

  /// A number in `range`, in lower case without commas.
  ///
  /// Tens and ones have a hyphen. "and" stands before what is below a hundred: behind "hundred", and at the end of a
  /// number that has thousands but no hundreds: one million two hundred and three thousand and four.
  public static func text(of number: Int) -> String {
    require(range ~= number, "EnglishNumeral: expected a number in \(range), got \(number)")
    if number == 0 { return small[0] }
    var words: [String] = []
    var rest = number
    for (unit, name) in [
      (1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand"),
    ]
    where rest >= unit {
      words += [belowThousand(rest / unit), name]
      rest %= unit
    }
    if rest > 0 {
      if rest < 100, !words.isEmpty { words.append("and") }
      words.append(belowThousand(rest))
    }
    return words.joined(separator: " ")
  }

  private static func belowThousand(_ number: Int) -> String {
    let (hundreds, rest) = number.quotientAndRemainder(dividingBy: 100)
    let end = rest == 0 && hundreds > 0 ? nil : belowHundred(rest)
    return [hundreds > 0 ? small[hundreds] + " hundred" : nil, end].compactMap { $0 }.joined(separator: " and ")
  }

  private static func belowHundred(_ number: Int) -> String {
    if number < 20 { return small[number] }
    return number % 10 == 0 ? tens[number / 10] : tens[number / 10] + "-" + small[number % 10]
  }
}
