// What a C source cannot do by itself.
#include <stdexcept>

extern "C" void throw_something() { throw std::runtime_error("nobody expects it"); }
