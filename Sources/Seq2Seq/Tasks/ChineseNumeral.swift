/// Whole numbers in Chinese: 三万二千零五十.
public enum ChineseNumeral {
  /// What can be written: below 10¹⁶, with 万 (10⁴), 亿 (10⁸) and 万亿 (10¹²).
  public static let range = 0...9_999_999_999_999_999

  static let digits = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"]

  /// A number in `range`.
  ///
  /// Digits go in groups of four, each with 千, 百 and 十, followed by 万 or 亿. Zeros between other digits of a group are
  /// one 零, and so are zeros that begin a group behind another one: 十万零一百, but 十万一千. Zeros that end a group are not
  /// written. A number that begins with 一十 begins with 十.
  ///
  /// - Parameter colloquial: 两 instead of 二 before 百 and 千, and where it stands alone before 万 and 亿: 两万两千两百.
  public static func text(of number: Int, colloquial: Bool = false) -> String {
    require(range ~= number, "ChineseNumeral: expected a number in \(range), got \(number)")
    if number == 0 { return digits[0] }
    let text = text(ofPositive: number, colloquial: colloquial)
    return text.hasPrefix("一十") ? String(text.dropFirst()) : text
  }

  /// Divided at the largest of 亿 and 万; above 亿 there may be 万 again.
  private static func text(ofPositive number: Int, colloquial: Bool) -> String {
    for (unit, name) in [(100_000_000, "亿"), (10_000, "万")] where number >= unit {
      let (high, low) = number.quotientAndRemainder(dividingBy: unit)
      var text = high == 2 && colloquial ? "两" : text(ofPositive: high, colloquial: colloquial)
      text += name
      if low == 0 { return text }
      if low < unit / 10 { text += digits[0] }
      return text + self.text(ofPositive: low, colloquial: colloquial)
    }
    return group(number, colloquial: colloquial)
  }

  /// 1...9999.
  private static func group(_ number: Int, colloquial: Bool) -> String {
    var text = ""
    var skipped = false
    for (unit, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
      let digit = number / unit % 10
      if digit == 0 {
        skipped = true
        continue
      }
      if skipped, !text.isEmpty { text += digits[0] }
      skipped = false
      text += (digit == 2 && colloquial && unit >= 100 ? "两" : digits[digit]) + name
    }
    return text
  }
}
