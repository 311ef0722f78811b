#include "forwarder.h"
