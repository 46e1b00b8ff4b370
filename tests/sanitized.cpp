// Linked into every program of a sanitized build. Libraries stay loaded: what a graphics driver keeps to the end would
// otherwise be reported as leaked once the library that refers to it is gone, from frames that have no name.
extern "C" int dlclose(void* /*library*/) { return 0; }
