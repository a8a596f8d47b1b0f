// CommonJS, as the Signal library is: sources, tests and the image's bundle all get the copy that it has itself.
module.exports = { library: require('curve25519-js') };
