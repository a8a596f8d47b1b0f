/**
 * `node:http` for bundles. An ES module that imports it has Node make every export at once, `WebSocket` among them, and
 * with that loads all of undici: 30 ms of each cold start for what no function uses. Asked for like this, only what is
 * used is made.
 */
module.exports = process.getBuiltinModule('node:http');
