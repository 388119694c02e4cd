import Foundation
import Seq2Seq
import Testing

@Suite struct DatesTests {
  private var calendar: Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(secondsFromGMT: 0)!
    return calendar
  }

  @Test func calendarAgreesWithFoundation() throws {
    let calendar = calendar
    var day = try #require(calendar.date(from: DateComponents(year: 1896, month: 1, day: 1)))
    for _ in 0..<5000 {
      let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: day)
      let date = try #require(CalendarDate(year: parts.year!, month: parts.month!, day: parts.day!))
      if date.weekday + 1 != parts.weekday { Issue.record("\(date.iso): \(date.weekday)") }
      day.addTimeInterval(86_400 * 17)
    }
  }

  @Test func daysThatAreNone() {
    #expect(CalendarDate(year: 2024, month: 2, day: 29)?.iso == "2024-02-29")
    #expect(CalendarDate(year: 2023, month: 2, day: 29) == nil && CalendarDate(year: 1900, month: 2, day: 29) == nil)
    #expect(CalendarDate(year: 2000, month: 2, day: 29) != nil && CalendarDate(year: 2024, month: 4, day: 31) == nil)
    #expect(CalendarDate(year: 2024, month: 13, day: 1) == nil && CalendarDate(year: 2024, month: 1, day: 0) == nil)
    #expect(CalendarDate(year: 987, month: 6, day: 5)?.iso == "0987-06-05")
  }

  /// Reads a Chinese date: digits of either kind, tens, and the day of the week.
  private func parse(_ text: String) -> (iso: String, weekday: Int?)? {
    let digits = Array("〇一二三四五六七八九")
    func number(_ text: Substring) -> Int? {
      let text = text.replacing("零", with: "〇")
      if let ten = text.firstIndex(of: "十") {
        let high = text[..<ten].first.flatMap { digits.firstIndex(of: $0) } ?? 1
        let low = text[ten...].dropFirst().first.flatMap { digits.firstIndex(of: $0) } ?? 0
        return high * 10 + low
      }
      return Int(String(text.map { digits.firstIndex(of: $0).map { Character(String($0)) } ?? $0 }))
    }
    guard let year = text.firstIndex(of: "年"), let month = text.firstIndex(of: "月"),
      let day = text[month...].firstIndex(where: { $0 == "日" || $0 == "号" }),
      let y = number(text[..<year]), let m = number(text[year...].dropFirst().prefix { $0 != "月" }),
      let d = number(text[month...].dropFirst().prefix { $0 != "日" && $0 != "号" })
    else { return nil }
    let weekday = text[day...].dropFirst().last.flatMap { $0 == "日" || $0 == "天" ? 0 : digits.firstIndex(of: $0) }
    return (String(format: "%04d-%02d-%02d", y, m, d), weekday)
  }

  @Test func taskPairsMeanTheSameDay() throws {
    let split = DatesTask().split(training: 3000, validation: 200, test: 300, seed: 1)
    let pairs = split.training.pairs + split.validation.pairs + split.test.pairs
    #expect(pairs.count == 3500 && Set(pairs.map(\.target)).count == 3500)
    let formatter = DateFormatter()
    formatter.calendar = calendar
    formatter.timeZone = calendar.timeZone
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd"
    var withWeekday = 0
    for pair in pairs {
      let parsed = try #require(parse(pair.source), "\(pair)")
      #expect(parsed.iso == pair.target, "\(pair)")
      let date = try #require(formatter.date(from: pair.target), "\(pair)")
      if let weekday = parsed.weekday {
        withWeekday += 1
        #expect(calendar.component(.weekday, from: date) == weekday + 1, "\(pair)")
      }
    }
    #expect(1500...2000 ~= withWeekday)
    for part in ["〇", "零", "二十", "号", "日", "星期", "周", "礼拜", "天", "，", "月0", "2", "一九"] {
      #expect(pairs.contains { $0.source.contains(part) }, "\(part)")
    }
  }
}
