#include "span.h"
