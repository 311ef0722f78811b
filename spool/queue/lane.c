#include "lane.h"
