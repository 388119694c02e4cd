/// Stops with the message unless the condition holds: misuse by the programmer. (`precondition` would lose its message
/// in release builds.)
func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID,
  line: UInt = #line
) {
  if !condition() { fatalError(message(), file: file, line: line) }
}
