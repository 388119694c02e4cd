/// A day of the Gregorian calendar.
public struct CalendarDate: Sendable, Hashable, Comparable {
  /// From 1.
  public let year: Int
  /// 1...12.
  public let month: Int
  /// From 1.
  public let day: Int

  /// A day; nil where there is none such.
  public init?(year: Int, month: Int, day: Int) {
    guard 1...9999 ~= year, 1...12 ~= month, 1...Self.days(inMonth: month, of: year) ~= day else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  /// How many days a month has.
  public static func days(inMonth month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// 0 on Sundays to 6 on Saturdays: 1 January of the year 1 would have been a Monday.
  public var weekday: Int {
    let before = year - 1
    let days = (1..<month).reduce(day) { $0 + Self.days(inMonth: $1, of: year) }
    return (before * 365 + before / 4 - before / 100 + before / 400 + days) % 7
  }

  /// `2024-03-05` (ISO 8601).
  public var iso: String {
    func padded(_ number: Int, _ width: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, width - text.count)) + text
    }
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
  }

  /// Earlier days first.
  public static func < (left: Self, right: Self) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }
}
