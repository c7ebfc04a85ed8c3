// The one translation unit that compiles the bodies of Boost.Asio, Boost.Beast and Boost.JSON, so
// that every other file only sees declarations. The matching defines come with checks_dep.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
#include <boost/json/src.hpp>
