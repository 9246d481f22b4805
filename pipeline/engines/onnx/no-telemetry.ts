/**
 * Must be imported before ONNX Runtime, which reads this variable once, when loaded. Without the variable, ONNX Runtime
 * reports every session to its makers, writes an identifier of the machine into the user's cache, and leaves a log in
 * the temporary folder. A user who wants telemetry sets the variable to 0.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
