/// Chinese dates to ISO dates: 二〇二四年三月五日星期二 → 2024-03-05.
///
/// Days of 1900 to 2099, each at most once, in one of many forms: with Arabic digits (2024年3月5日, 2024年03月05日) or in
/// Chinese (二〇二四年三月五日, 二零二四年…), the day 日 or 号, half of them with the right day of the week behind: 星期二, 周二 or 礼拜二,
/// Sundays 日 or 天, some after a comma.
public struct DatesTask: SentenceTask {
  /// The years that days are of.
  public static let years = 1900...2099

  public var sourceTokenizer: Tokenizer { .characters }
  public var targetTokenizer: Tokenizer { .characters }

  /// The task.
  public init() {}

  /// There are 73,049 days in all.
  public func split(training: Int, validation: Int, test: Int, seed: UInt64) -> CorpusSplit {
    var dates = Self.years.flatMap { year in
      (1...12).flatMap { month in
        (1...CalendarDate.days(inMonth: month, of: year)).compactMap { CalendarDate(year: year, month: month, day: $0) }
      }
    }
    require(
      training >= 0 && validation >= 0 && test >= 0 && training + validation + test <= dates.count,
      "DatesTask: expected at most \(dates.count) pairs in all, got \(training), \(validation), \(test)")
    var generator = SeededGenerator(seed: seed)
    generator.shuffle(&dates)
    let pairs = dates.prefix(training + validation + test).map {
      SentencePair(source: Self.text(of: $0, using: &generator), target: $0.iso)
    }
    return CorpusSplit(pairs, training: training, validation: validation)
  }

  private static func text(of date: CalendarDate, using generator: inout SeededGenerator) -> String {
    let suffix = generator.choose(["日", "号"])
    var text: String
    if generator.oneIn(2) {
      let width = generator.oneIn(4) ? 2 : 1
      func padded(_ number: Int) -> String { (number < 10 && width == 2 ? "0" : "") + String(number) }
      text = "\(date.year)年\(padded(date.month))月\(padded(date.day))\(suffix)"
    } else {
      let zero = generator.choose(["〇", "零"])
      let year = String(date.year).utf8.map { $0 == 0x30 ? zero : ChineseNumeral.digits[Int($0) - 0x30] }.joined()
      text = "\(year)年\(ChineseNumeral.text(of: date.month))月\(ChineseNumeral.text(of: date.day))\(suffix)"
    }
    if generator.oneIn(2) {
      text += generator.oneIn(4) ? "，" : ""
      text += generator.choose(["星期", "周", "礼拜"])
      text += date.weekday == 0 ? generator.choose(["日", "天"]) : ChineseNumeral.digits[date.weekday]
    }
    return text
  }
}
