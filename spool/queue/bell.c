#include "bell.h"
