// Tencent's own crypto as a peer: one JSON request a line, one JSON answer a line.
const { encrypt, decrypt } = require("@wecom/crypto");
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { act, key, text, receiver } = JSON.parse(line);
  const done = act === "encrypt" ? { sealed: encrypt(key, text, receiver) } : decrypt(key, text);
  process.stdout.write(JSON.stringify(done) + "\n");
});
