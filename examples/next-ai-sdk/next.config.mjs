export default {
  compress: false, // compression would hold parts of an answer back
  poweredByHeader: false,
  devIndicators: false,
  turbopack: { root: import.meta.dirname },
};
