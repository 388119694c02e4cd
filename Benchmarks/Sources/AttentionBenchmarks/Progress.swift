import Foundation

/// One line on stderr that says what is being measured; nothing where stderr is no terminal.
struct Progress {
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ text: String) { write("\r\u{1B}[K" + text) }

  func clear() { write("\r\u{1B}[K") }

  private func write(_ text: String) {
    guard isTerminal else { return }
    FileHandle.standardError.write(Data(text.utf8))
  }
}

/// Prints a line and sends it on its way, so that a reader of a pipe sees each row as it comes.
func printLine(_ text: String) {
  print(text)
  fflush(nil)
}
