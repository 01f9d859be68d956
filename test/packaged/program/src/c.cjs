exports.one = 1;
exports.dir = __dirname;
exports.isMain = require.main === module;
exports.res = require.resolve('./data.json');
try {
  require('nope');
} catch (e) {
  exports.code = e.code;
}
exports.typeofRequire = typeof require.cache;
