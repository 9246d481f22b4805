/**
 * Imported before ONNX Runtime, which otherwise tells its makers of every session, writes an identifier of the machine
 * into the user's cache, and leaves a log in the temporary folder. It looks at its environment once, when it is loaded.
 * Who wants to send it sets the variable to 0.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1'
