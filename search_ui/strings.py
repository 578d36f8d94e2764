"""Every word that people read on the page, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from search_ui.translation import Translation

Language = Literal["en", "zh"]

TEXTS: dict[str, tuple[str, str]] = {
    # pages
    "page.search": ("Search", "搜索"),
    "page.library": ("Library", "视频库"),
    "page.system": ("System", "系统"),
    "theme": ("Colours", "颜色"),
    "theme.System": ("Auto", "自动"),
    "theme.Light": ("Light", "浅色"),
    "theme.Dark": ("Dark", "深色"),
    # asking
    "ask": ("What are you looking for?", "想找什么?"),
    "ask.hint": ("When does the dog jump?", "狗什么时候跳起来?"),
    "filters": ("Filters", "筛选"),
    "filters.on": ("Filters ({n})", "筛选（{n}）"),
    "filter.collections": ("Collections", "合集"),
    "filter.all": ("All", "全部"),
    "filter.only": ("Why it matched", "匹配依据"),
    "filter.from": ("Recorded from", "录制起始日期"),
    "filter.to": ("Recorded until", "录制截止日期"),
    "filter.min": ("Shortest video, minutes", "最短视频（分钟）"),
    "filter.max": ("Longest video, minutes", "最长视频（分钟）"),
    "filter.name": ("Title or file name contains", "标题或文件名包含"),
    "filter.top": ("How many", "结果数量"),
    "filter.ground": ("Check with LEGO", "用 LEGO 复核"),
    "filter.ground_help": (
        "Slower: a language model looks at the best moments again",
        "较慢：由语言模型再次检查最佳片段",
    ),
    "filter.clear": ("Clear filters", "清除筛选"),
    "picture": ("By picture", "以图搜索"),
    "picture.drop": ("A picture of what you look for", "上传一张要找的图片"),
    "picture.bad": ("This picture cannot be read.", "无法读取该图片。"),
    "picture.done": ("looking …", "正在搜索……"),
    "examples": ("Try", "试试"),
    "recent": ("Recent", "最近搜索"),
    "saved": ("Saved", "已保存"),
    "save": ("Save search", "保存搜索"),
    "save.done": ("Saved", "已保存"),
    "forget": ("Forget", "删除"),
    "newest": ("Newest videos", "最新视频"),
    # answers
    "answers": ("Answers", "结果"),
    "answers.took": ("{n} moments in {ms} ms", "{n} 个片段，用时 {ms} 毫秒"),
    "answers.like": ("Moments like this one", "相似片段"),
    "answers.picture": ("Moments like your picture", "与图片相似的片段"),
    "answers.none": ("Nothing found.", "没有找到。"),
    "no_match": ("No match", "没有匹配"),
    "no_match.text": (
        "Nothing in these videos seems to show that. These are the nearest moments.",
        "这些视频里似乎没有相关内容。下面是最接近的片段。",
    ),
    "evidence.picture": ("picture", "画面"),
    "evidence.speech": ("speech", "语音"),
    "evidence.screen": ("screen", "屏幕文字"),
    "evidence.event": ("event", "事件"),
    "evidence.title": ("title", "标题"),
    "score": ("score {score}", "得分 {score}"),
    "offline": ("offline", "离线"),
    "choose": ("Choose", "选择"),
    "like": ("More like this", "更多类似"),
    "export": ("Export", "导出"),
    "export.chosen": ("{n} chosen moments", "已选 {n} 个片段"),
    "export.all": (
        "All {n} moments (choose some to export only those)",
        "全部 {n} 个片段（可先勾选，仅导出所选）",
    ),
    "export.csv": ("Table (CSV)", "表格 (CSV)"),
    "export.edl": ("Edit list (EDL)", "剪辑表 (EDL)"),
    "export.playlist": ("Playlist (M3U)", "播放列表 (M3U)"),
    "back": ("All answers", "全部结果"),
    "back.home": ("Back", "返回"),
    # watching
    "player.player": ("Player", "播放器"),
    "player.play": ("Play", "播放"),
    "player.pause": ("Pause", "暂停"),
    "player.back": ("One frame back", "后退一帧"),
    "player.forward": ("One frame forward", "前进一帧"),
    "player.span": ("Moment", "片段"),
    "player.span_hint": ("Play this moment again", "重播该片段"),
    "player.loop": ("Loop", "循环"),
    "player.next": ("Next", "下一个"),
    "player.mute": ("Mute", "静音"),
    "player.link": ("Copy link", "复制链接"),
    "player.copied": ("Link copied", "链接已复制"),
    "player.clip": ("Clip", "下载片段"),
    "player.clip_hint": ("Save this moment as a clip", "将该片段保存为视频"),
    "player.full": ("Full screen", "全屏"),
    "player.speed": ("Speed", "速度"),
    "player.timeline": (
        "Timeline: where the video fits the question",
        "时间轴：视频与问题的匹配程度",
    ),
    "player.transcript": ("Transcript", "字幕"),
    "player.error": ("This video cannot be played here.", "无法在此播放该视频。"),
    "player.press_play": ("Ready: press play.", "已就绪：请点击播放。"),
    "player.where": ("Where?", "在哪里?"),
    "player.where_hint": (
        "Pause, then say what to find in the picture",
        "暂停后，输入要在画面中寻找的内容",
    ),
    "lego.looking": ("LEGO looks at the best moments …", "LEGO 正在复核最佳片段……"),
    "player.looking": ("Looking …", "正在查找……"),
    "player.found": ("{phrase}: {n} found", "{phrase}：找到 {n} 处"),
    "player.keys": ("Keys", "快捷键"),
    "player.keys_text": (
        "space or k: play or pause · ← →: 5 s (with Shift 1 s) · j l: 10 s · , .: one frame · < >: speed · "
        "n: next moment · o: loop · m: mute · f: full screen",
        "空格或 k：播放/暂停 · ← →：5 秒（按住 Shift 为 1 秒） · j l：10 秒 · , .：一帧 · < >：速度 · "
        "n：下一个片段 · o：循环 · m：静音 · f：全屏",
    ),
    "player.legend_curve": ("how well it fits", "匹配程度"),
    "player.legend_moments": ("moments", "片段"),
    "player.legend_events": ("events", "事件"),
    "player.proxy": (
        "Browsers cannot play this file. A copy that they can play is being made: {percent} %",
        "浏览器无法播放该文件，正在转换：{percent}%",
    ),
    "player.gone": (
        "The file is offline: it cannot be played now, but it stays searchable.",
        "文件已离线：暂时无法播放，但仍可搜索。",
    ),
    "media.none": ("There is no such video.", "没有该视频。"),
    "media.wait": (
        "A copy that browsers can play is still being made.",
        "可播放的副本仍在生成中。",
    ),
    "media.gone": ("The file is not there now.", "文件现在不可用。"),
    "media.picture": ("There is no picture of this video yet.", "该视频还没有图片。"),
    "media.clip": (
        "A clip is longer than nothing and no longer than {n} s.",
        "片段时长须大于 0 且不超过 {n} 秒。",
    ),
    "player.unknown": ("There is no such video.", "没有该视频。"),
    "lego": ("LEGO: {span}", "LEGO：{span}"),
    "lego.none": ("LEGO names no time", "LEGO 未给出时间"),
    # library
    "empty": ("Your library is empty", "视频库为空"),
    "empty.text": (
        "Add a folder or some files, and ask when something happens in them. "
        "To look around first, add the demo library: five small videos.",
        "添加文件夹或文件，即可询问其中何时发生了什么。也可以先添加演示库：五个小视频。",
    ),
    "empty.viewer": ("Nobody has added a video for you yet.", "还没有可供你查看的视频。"),
    "demo.add": ("Add the demo library", "添加演示库"),
    "add": ("Add videos", "添加视频"),
    "add.collection": ("Collection", "合集"),
    "add.folder": ("Folder on this server", "服务器上的文件夹"),
    "add.folder_button": ("Add folder", "添加文件夹"),
    "add.watch": ("Look again every {n} minutes", "每 {n} 分钟重新扫描"),
    "add.upload": ("Upload", "上传"),
    "add.drop": (
        "Drop videos here, or choose files (up to {size} each)",
        "将视频拖到此处，或选择文件（每个不超过 {size}）",
    ),
    "upload.too_large": (
        "The file is too large: up to {size} each.",
        "文件太大：每个不超过 {size}。",
    ),
    "upload.failed": ("The upload failed.", "上传失败。"),
    "upload.done": ("received", "已接收"),
    "upload.viewer": ("Viewers cannot add videos.", "查看者不能添加视频。"),
    "upload.collection": ("There is no such collection for you.", "没有你可用的该合集。"),
    "upload.name": ("This is not a name of a video file.", "这不是视频文件名。"),
    "upload.broken": ("The upload was broken off.", "上传中断。"),
    "upload.disk": (
        "The server cannot store this file: {reason}",
        "服务器无法保存该文件：{reason}",
    ),
    "upload.space": (
        "There is no space for this file on the server.",
        "服务器空间不足，无法保存该文件。",
    ),
    "upload.no_video": (
        "This is not a video that can be read: {reason}",
        "这不是可读取的视频：{reason}",
    ),
    "folder.missing": ("There is no such folder on the server.", "服务器上没有该文件夹。"),
    "folder.closed": ("This folder may not be added from here.", "不允许从这里添加该文件夹。"),
    "folder.added": ("The folder is being read.", "正在读取该文件夹。"),
    "collection.missing": (
        "Choose a collection, or write the name of a new one.",
        "请选择合集，或填写新合集名称。",
    ),
    "watched": ("Watched folders", "监视的文件夹"),
    "watched.never": ("not looked at yet", "尚未扫描"),
    "watched.stop": ("Stop watching", "停止监视"),
    "job.ingest": ("Reading {subject}", "读取 {subject}"),
    "job.demo": ("Making the demo library", "生成演示库"),
    "job.retry": ("Trying {subject} again", "重试 {subject}"),
    "job.proxy": ("Converting video {subject}", "转换视频 {subject}"),
    "job.watch": ("Looking into {subject}", "扫描 {subject}"),
    "job.waiting": ("waiting", "等待中"),
    "job.running": ("running", "进行中"),
    "job.done": ("done", "完成"),
    "job.close": ("Close", "关闭"),
    "job.failed": ("with problems", "有问题"),
    "videos": ("Videos", "视频"),
    "videos.count": ("{n} videos, {length}", "{n} 个视频，共 {length}"),
    "videos.newest": ("the newest {n} of them are below", "下面是其中最新的 {n} 个"),
    "video.title": ("Title", "标题"),
    "video.state": ("State", "状态"),
    "video.length": ("Length", "时长"),
    "video.size": ("Size", "大小"),
    "video.recorded": ("Recorded", "录制日期"),
    "video.problem": ("Problem", "问题"),
    "video.path": ("File", "文件"),
    "state.pending": ("waiting", "等待"),
    "state.ingesting": ("being read", "读取中"),
    "state.ready": ("ready", "就绪"),
    "state.failed": ("failed", "失败"),
    "watch": ("Watch", "观看"),
    "retry": ("Try again", "重试"),
    "remove": ("Remove", "移除"),
    "remove.collection": ("Remove collection", "移除合集"),
    "remove.title": ("Remove from the library?", "从库中移除?"),
    "remove.text": (
        "{what} will not be searchable any more. The files themselves stay where they are.",
        "{what} 将不再可搜索。原文件保留不变。",
    ),
    "remove.many": ("{n} videos", "{n} 个视频"),
    "remove.all_of": ("The collection {name} with {n} videos", "合集 {name}（{n} 个视频）"),
    "remove.yes": ("Yes, remove", "确认移除"),
    "cancel": ("Cancel", "取消"),
    "pick": (
        "Choose videos in the list to watch, retry or remove them.",
        "在列表中选择视频以观看、重试或移除。",
    ),
    "open.as": ("Signed in as {name}", "已登录：{name}"),
    # system
    "index": ("Index", "索引"),
    "index.segments": ("Segments", "片段数"),
    "index.length": ("Video", "视频时长"),
    "index.disk": ("Disk", "磁盘"),
    "index.per_hour": ("Per hour of video", "每小时视频"),
    "models": ("Models", "模型"),
    "model.installed": ("Installed", "已安装"),
    "model.text": ("{purpose}. Quality: {quality}", "{purpose}。质量：{quality}"),
    "model.get": ("How to get it", "获取方式"),
    "doctor": ("Check-up", "体检"),
    "doctor.run": ("Check again", "重新检查"),
    "doctor.ok": ("ok", "正常"),
    "doctor.bad": ("not ok", "异常"),
    # signing in
    "sign_in": ("Sign in", "登录"),
    "sign_in.name": ("Name", "用户名"),
    "sign_in.password": ("Password", "密码"),
    "sign_in.wrong": ("The name or the password is wrong.", "用户名或密码错误。"),
    "sign_in.wait": ("Too many attempts. Wait some minutes.", "尝试次数过多，请稍后再试。"),
    "sign_in.oidc": ("Sign in with your organisation", "使用组织账号登录"),
    "sign_in.unknown": (
        "{name} may not enter here. Ask whoever runs this page.",
        "{name} 无权访问，请联系管理员。",
    ),
    "sign_out": ("Sign out", "退出登录"),
    "door.sign_in": ("Sign in first", "请先登录"),
    "door.local": ("This page is served to the local machine only", "此页面仅供本机访问"),
    "door.foreign": ("This request comes from another site", "该请求来自其他网站"),
    # trouble
    "error": ("Something went wrong", "出错了"),
    "error.unexpected": ("This is a defect: {error}", "程序缺陷：{error}"),
}

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("When is there a close-up of a cat?", "什么时候出现猫的特写?"),
    ("When do people ride bicycles in the street?", "什么时候有人在街上骑自行车?"),
    ("At what time does the rocket stand on the launch pad?", "火箭什么时候立在发射台上?"),
    ("Show me the cup of coffee on a table", "桌上的咖啡杯"),
)


# What Streamlit itself says in its elements, by its English words: a value stands where `{}` is.
STREAMLIT: dict[str, str] = {
    "Skip to main content": "跳到主要内容",
    "App pages": "页面",
    "Expand sidebar": "展开菜单",
    "Collapse sidebar": "收起菜单",
    "Open": "打开",
    "Close": "关闭",
    "Dismiss": "关闭",
    "Clear": "清除",
    "Clear all": "全部清除",
    "Clear value": "清除",
    "Clear entry": "清除",
    "Clear date": "清除日期",
    "Select all": "全选",
    "Selected values": "已选项",
    "Multiselect options": "选项",
    "Selectbox options": "选项",
    "Remove {}": "移除 {}",
    "Add: {}": "新建：{}",
    "No results": "没有结果",
    "{} option available.": "{} 个选项。",
    "{} options available.": "{} 个选项。",
    "Help for {}": "{} 的说明",
    "Press Enter to apply": "按 Enter 键应用",
    "Press Enter to submit form": "按 Enter 键提交",
    "Choose date": "选择日期",
    "Choose date, {}": "选择日期，{}",
    "Today, {}": "今天，{}",
    "{} selected": "{} 已选",
    "Previous month": "上个月",
    "Next month": "下个月",
    "Month": "月",
    "Year": "年",
    "Use arrow keys to navigate dates. Enter to select. Escape to close.": "用方向键选择日期，Enter 键确认，Esc 键关闭。",
    "year, {}": "年，{}",
    "month, {}": "月，{}",
    "day, {}": "日，{}",
    "yyyy": "年",
    "mm": "月",
    "dd": "日",
    "Increment": "增加",
    "Decrement": "减少",
    "Number is above the allowed range.": "数值超出范围。",
    "Number is below the allowed range.": "数值低于范围。",
    "Show/hide columns": "显示或隐藏列",
    "Download as CSV": "下载 CSV",
    "Search": "搜索",
    "Fullscreen": "全屏",
    "Close fullscreen": "退出全屏",
    "Clear selection": "清除选择",
    "Sort ascending": "升序",
    "Sort descending": "降序",
    "Autosize": "自动列宽",
    "Pin column": "固定列",
    "Unpin column": "取消固定列",
    "Hide column": "隐藏列",
    "Copy column name": "复制列名",
    "Format": "格式",
    "Statistics": "统计",
    "Loading...": "正在加载……",
    "Connection error": "连接中断",
    "Page not found": "没有该页面",
}

# What the library says, by its English templates: a value stands where `{}` is.
LIBRARY: dict[str, str] = {
    # what to do
    "Ask again": "请再问一次",
    "Check SEEKPOINT_DATABASE_URL": "请检查 SEEKPOINT_DATABASE_URL",
    "Check free space, quota and the disk": "请检查剩余空间、配额和磁盘",
    "Check that its folder exists and is yours to write": "请确认其文件夹存在且可写",
    "Check that it plays elsewhere": "请确认它能在别处播放",
    "Check that it plays elsewhere (playlists and scripts are not followed); if it was cut off while copying, copy it again": (
        "请确认它能在别处播放（不支持播放列表和脚本）；若复制时中断，请重新复制"
    ),
    "Check that it plays elsewhere; pictures of more than {} pixels are refused (SEEKPOINT_MAX_FRAME_PIXELS)": (
        "请确认它能在别处播放；超过 {} 像素的画面会被拒绝 (SEEKPOINT_MAX_FRAME_PIXELS)"
    ),
    "Check that it runs, and SEEKPOINT_DATABASE_URL": "请确认它正在运行，并检查 SEEKPOINT_DATABASE_URL",
    "Check that the file plays elsewhere and that there is space on the disk": "请确认文件能在别处播放，且磁盘有空间",
    "Check that the folder exists and has space": "请确认文件夹存在且有空间",
    "Check that the folder is yours to write": "请确认文件夹可写",
    "Check the path and its permissions": "请检查路径及其权限",
    "Choose another SEEKPOINT_HOME": "请另选 SEEKPOINT_HOME",
    "Choose another file for the clip": "请为片段另选文件",
    "Collections: {}": "现有合集：{}",
    "Copy it again": "请重新复制",
    "Create it (createdb), then run: seekpoint db upgrade": "请先创建 (createdb)，再运行：seekpoint db upgrade",
    "Cut a shorter span": "请截取更短的片段",
    "Ask for a shorter span, a lower rate or a smaller short_side": "请缩短时段、降低帧率或减小 short_side",
    "A file of sound alone has no pictures to search": "纯音频文件没有可搜索的画面",
    "Free space there, then run the same command again": "请在该处腾出空间，再运行同一命令",
    "Free space there, then run: seekpoint reindex": "请在该处腾出空间，再运行：seekpoint reindex",
    "Free space there, then try again": "请在该处腾出空间，再试一次",
    "Ingest again": "请重新导入",
    "Install ffmpeg, or set SEEKPOINT_FFMPEG to its path": "请安装 ffmpeg，或将 SEEKPOINT_FFMPEG 设为其路径",
    "Install it there (a package of the system, such as postgresql-17-pgvector), then run: seekpoint db upgrade": (
        "请在服务器上安装（系统软件包，如 postgresql-17-pgvector），再运行：seekpoint db upgrade"
    ),
    "Install seekpoint again": "请重新安装 seekpoint",
    "It is built again from the catalog": "将从目录重新构建",
    "It is cut off or damaged there": "文件在该处被截断或损坏",
    "It knows: {}": "它支持：{}",
    "Let an administrator run there: CREATE EXTENSION vector; then run: seekpoint db upgrade": (
        "请管理员在该处运行：CREATE EXTENSION vector；再运行：seekpoint db upgrade"
    ),
    "Only files are read, not folders, pipes, sockets or devices": "只读取文件，不读取文件夹、管道、套接字或设备",
    "Point SEEKPOINT_DATABASE_URL at the primary server": "请将 SEEKPOINT_DATABASE_URL 指向主服务器",
    (
        "Put a {} checkpoint (config.json, model.safetensors, tokenizer and preprocessor_config.json) into a folder "
        "and set SEEKPOINT_EMBEDDER_PATH to it, or to a hub id such as {} where a hub is in reach"
    ): (
        "请将 {} 的检查点（config.json、model.safetensors、分词器和 preprocessor_config.json）放入文件夹，并将 "
        "SEEKPOINT_EMBEDDER_PATH 设为该文件夹，或设为可访问的模型库中的标识，如 {}"
    ),
    "Restore a backup, or move it away and ingest again": "请恢复备份，或将其移走后重新导入",
    "Run: seekpoint db upgrade": "请运行：seekpoint db upgrade",
    "Run: seekpoint reindex": "请运行：seekpoint reindex",
    "SEEKPOINT_CHUNK_TIMEOUT_S sets the limit; if the file plays elsewhere, convert it with ffmpeg": (
        "限制由 SEEKPOINT_CHUNK_TIMEOUT_S 设定；若文件能在别处播放，请用 ffmpeg 转换"
    ),
    "SEEKPOINT_DEVICE=auto or cpu runs anywhere": "SEEKPOINT_DEVICE=auto 或 cpu 在任何机器上都能运行",
    "SEEKPOINT_EMBEDDER takes {}": "SEEKPOINT_EMBEDDER 可取：{}",
    "SEEKPOINT_LEGO_PATH names its folder": "SEEKPOINT_LEGO_PATH 指定其文件夹",
    "SEEKPOINT_LEGO_PATH names the folder with its config.json": "SEEKPOINT_LEGO_PATH 指定含 config.json 的文件夹",
    "SEEKPOINT_MAX_FRAME_PIXELS sets the limit": "限制由 SEEKPOINT_MAX_FRAME_PIXELS 设定",
    "SEEKPOINT_ROOTS maps it": "请用 SEEKPOINT_ROOTS 映射",
    "SEEKPOINT_SPEECH_MODEL takes embedded, a folder in CTranslate2 format, or a hub id": (
        "SEEKPOINT_SPEECH_MODEL 可取 embedded、CTranslate2 格式的文件夹或模型库标识"
    ),
    "SRT, VTT, ASS and SSA are read": "支持 SRT、VTT、ASS 和 SSA",
    "Set SEEKPOINT_DATABASE_URL=postgresql://user:password@host/database, or SEEKPOINT_VECTORS=faiss": (
        "请设置 SEEKPOINT_DATABASE_URL=postgresql://user:password@host/database，或 SEEKPOINT_VECTORS=faiss"
    ),
    "Stop it, then run: seekpoint reindex": "请先停止它，再运行：seekpoint reindex",
    "Stop it, then try again": "请先停止它，再试一次",
    "Subtitles are text; check that it is one of them": "字幕是文本文件；请确认它是字幕",
    "The file may be damaged, or memory ran out; the rest goes on": "文件可能已损坏，或内存不足；其余部分继续",
    "Try again": "请重试",
    "Unset it to use PATH or the packaged ffmpeg": "取消该设置即可使用 PATH 中或自带的 ffmpeg",
    "Upgrade Seekpoint": "请升级 Seekpoint",
    "Upgrade it, then: ALTER EXTENSION vector UPDATE": "请先升级，再运行：ALTER EXTENSION vector UPDATE",
    "Use sqlite:////path/of/file or postgresql://user:password@host/database": (
        "请使用 sqlite:////path/of/file 或 postgresql://user:password@host/database"
    ),
    "Wait for it to finish, or stop it; then try again": "请等它结束或停止它，再试一次",
    "Write a migration for the difference": "请为差异编写迁移",
    "`seekpoint reindex` builds it": "`seekpoint reindex` 可构建",
    "`seekpoint reindex` builds the vector index anew from the catalog": "`seekpoint reindex` 可从目录重建向量索引",
    "{}; a search does so by itself": "{}；搜索时也会自动重建",
    "`seekpoint ingest` of the same paths goes on with them": "对相同路径再次运行 `seekpoint ingest` 即可继续",
    "`seekpoint videos` says why; `seekpoint retry` tries again": "`seekpoint videos` 显示原因；`seekpoint retry` 重试",
    "ask another question": "请换个问题",
    "ask it in other words": "请换种说法",
    "bring it back, or ingest the folder that it was moved to": "请放回原处，或导入它移至的文件夹",
    "bring the files back or ingest the folder they moved to; they stay searchable meanwhile": (
        "请放回文件，或导入其移至的文件夹；在此期间仍可搜索"
    ),
    "check SEEKPOINT_BROKER_URL": "请检查 SEEKPOINT_BROKER_URL",
    "check that Redis runs, and SEEKPOINT_BROKER_URL": "请确认 Redis 正在运行，并检查 SEEKPOINT_BROKER_URL",
    "check that it is a video": "请确认它是视频",
    "check the file and its permissions": "请检查文件及其权限",
    "check the folder and its permissions": "请检查文件夹及其权限",
    "check the path and its permissions": "请检查路径及其权限",
    "check the path, then ingest it again": "请检查路径，再重新导入",
    "check the permissions of the folder": "请检查文件夹的权限",
    "choose a name": "请取一个名称",
    "choose a time inside the video": "请选择视频之内的时间",
    "choose another name in SEEKPOINT_ROOTS": "请在 SEEKPOINT_ROOTS 中另取名称",
    "choose from {}": "可选：{}",
    "choose it again": "请重新选择",
    "choose one line of text in UTF-8": "请使用一行 UTF-8 文本",
    "copy its content to a file first": "请先将其内容复制到文件",
    "docs/guides/grounding-models.md says what it needs": "所需内容见 docs/guides/grounding-models.md",
    "download GroundingGPT-7B to a folder and set SEEKPOINT_LEGO_PATH to it (docs/guides/grounding-models.md); everything else works without": (
        "请将 GroundingGPT-7B 下载到文件夹，并将 SEEKPOINT_LEGO_PATH 设为该文件夹 (docs/guides/grounding-models.md)；其余功能无需它"
    ),
    "free some space and run the same command again: finished chunks are kept": "请腾出空间后再运行同一命令：已完成的部分会保留",
    "free some space, or move SEEKPOINT_HOME to a larger disk": "请腾出空间，或将 SEEKPOINT_HOME 移到更大的磁盘",
    "give START before END": "开始时间须早于结束时间",
    "give the number of a video (`seekpoint videos`) or a path": "请给出视频编号 (`seekpoint videos`) 或路径",
    "ingest it again": "请重新导入",
    "install the extra: pip install 'seekpoint[demo]'": "请安装附加组件：pip install 'seekpoint[demo]'",
    "it is used again by what comes next": "后续内容会再次使用",
    "make it yours to write, or set SEEKPOINT_HOME to a folder that is": "请使其可写，或将 SEEKPOINT_HOME 设为可写的文件夹",
    'map it: SEEKPOINT_ROOTS={{"{}": "/folder"}}': '请映射：SEEKPOINT_ROOTS={{"{}": "/folder"}}',
    "name a file to try it whatever its suffix is": "直接指定文件可不论后缀尝试读取",
    'pip install "seekpoint[ocr]", or SEEKPOINT_SCREEN_TEXT=0': '请运行 pip install "seekpoint[ocr]"，或设 SEEKPOINT_SCREEN_TEXT=0',
    'pip install "seekpoint[speech]", or SEEKPOINT_SPEECH=0': '请运行 pip install "seekpoint[speech]"，或设 SEEKPOINT_SPEECH=0',
    "pip install 'seekpoint[postgres]'": "请运行 pip install 'seekpoint[postgres]'",
    "pip install 'seekpoint[queue]'": "请运行 pip install 'seekpoint[queue]'",
    "pip install 'seekpoint[speech]'": "请运行 pip install 'seekpoint[speech]'",
    "pip install 'seekpoint[ocr]'": "请运行 pip install 'seekpoint[ocr]'",
    "pip install seekpoint brings it": "pip install seekpoint 会一并安装",
    "rename the file": "请重命名文件",
    "run the same command again": "请再次运行同一命令",
    "say what you want to know": "请说明想知道什么",
    'say what happens: "when does the dog jump?"': "请描述发生的事：“狗什么时候跳起来？”",
    "seekpoint doctor checks it": "seekpoint doctor 可检查",
    "seekpoint videos lists them": "seekpoint videos 可列出",
    "set SEEKPOINT_BROKER_URL (redis://host:6379/0), or work without --queue": (
        "请设置 SEEKPOINT_BROKER_URL (redis://host:6379/0)，或不使用 --queue"
    ),
    "set SEEKPOINT_DEVICE=cpu, or install a CUDA build of torch": "请设 SEEKPOINT_DEVICE=cpu，或安装 CUDA 版 torch",
    "switch speech on (SEEKPOINT_SPEECH=1) to search its sound": "开启语音 (SEEKPOINT_SPEECH=1) 即可搜索其声音",
    "this is a defect in Seekpoint or a model: please report it": "这是 Seekpoint 或模型的缺陷：请反馈",
    "wait until it has been read": "请等它读取完毕",
    "what could be read is searchable; copy the file again from its source if that is not enough": (
        "已读取的部分可以搜索；若不够，请从来源重新复制文件"
    ),
    "write redis://host:6379/0": "请写作 redis://host:6379/0",
    "{} reads: {}; `seekpoint models` says how to get one that reads more": (
        "{} 支持：{}；`seekpoint models` 说明如何获取支持更多语言的模型"
    ),
    # files and videos
    "cannot read {}: {}": "无法读取 {}：{}",
    "cannot read {} as subtitles: {}": "无法将 {} 作为字幕读取：{}",
    "cannot read {} as video or sound: {}": "无法将 {} 作为视频或音频读取：{}",
    "cannot write {}: {}": "无法写入 {}：{}",
    "no space left to write {}": "没有空间写入 {}",
    "ffmpeg failed: {}": "ffmpeg 失败：{}",
    "ffmpeg took longer than {} s and was stopped": "ffmpeg 超过 {} 秒，已停止",
    "no ffmpeg was found": "未找到 ffmpeg",
    "SEEKPOINT_FFMPEG={} is no program that can be run": "SEEKPOINT_FFMPEG={} 不是可运行的程序",
    "reading {} took longer than {} s and was stopped": "读取 {} 超过 {} 秒，已停止",
    "the process that read {} ended {}": "读取 {} 的进程已结束 ({})",
    "{} has more than {} MB": "{} 超过 {} MB",
    "{} has neither pictures nor sound": "{} 既没有画面也没有声音",
    "{} has neither video nor sound that can be decoded": "{} 没有可解码的视频或声音",
    "{} has no picture at {} s": "{} 在 {} 秒处没有画面",
    "{} has no pictures": "{} 没有画面",
    "{} has no sound track {} that can be decoded ({} tracks)": "{} 没有可解码的音轨 {}（共 {} 条）",
    "{} has no video stream": "{} 没有视频流",
    "{} has no video stream to cut": "{} 没有可截取的视频流",
    "{} has pictures of {} x {} pixels, more than the limit of {}": "{} 的画面为 {} x {} 像素，超过上限 {}",
    "{} holds no picture that can be decoded": "{} 没有可解码的画面",
    "{} holds no picture that can be decoded: {}": "{} 没有可解码的画面：{}",
    "{} is empty (zero bytes)": "{} 为空（零字节）",
    "{} is not a regular file": "{} 不是普通文件",
    "{} is the video itself": "{} 就是该视频本身",
    "{}: more than {} pictures of {} x {} at once": "{}：一次超过 {} 幅 {} x {} 的画面",
    "{} packets could not be decoded ({})": "{} 个数据包无法解码 ({})",
    "{} packets could not be decoded after {} s ({})": "{1} 秒之后有 {0} 个数据包无法解码 ({2})",
    "{} pictures were left out because time goes backwards there": "{} 幅画面因时间倒退而略去",
    "{} (and {} more chunks)": "{}（另有 {} 段）",
    "it changed while it was read": "读取时文件发生了变化",
    "it vanished while it was read": "读取时文件消失了",
    "it is not a regular file (a pipe, a socket or a device)": "不是普通文件（而是管道、套接字或设备）",
    "the name is not valid UTF-8": "文件名不是有效的 UTF-8",
    "there is no video in this folder": "该文件夹中没有视频",
    "{}: there is no such file": "{}：没有该文件",
    "the file of video {} is not at {}": "视频 {} 的文件不在 {}",
    'the media root "{}" is not known on this machine': "这台机器不认识媒体根目录“{}”",
    "the media root {} is not mapped on this machine: its files are left to other workers": (
        "媒体根目录 {} 未在这台机器上映射：其文件留给其他工作进程"
    ),
    "the media root {} is not mounted at {}: its files are left to other workers": "媒体根目录 {} 未挂载于 {}：其文件留给其他工作进程",
    'the root name "{}" is taken': "根目录名“{}”已被占用",
    "a clip needs 0 <= start < end, not {} to {}": "片段须满足 0 <= 开始 < 结束，而不是 {} 到 {}",
    "the clip would end ({} s) before it starts ({} s)": "片段的结束（{} 秒）早于开始（{} 秒）",
    "the clip would start at {} s, but {} ends at {} s": "片段从 {} 秒开始，但 {} 在 {} 秒结束",
    "video {} has no frames yet": "视频 {} 还没有画面",
    "video {} is indexed with another model than the installed one": "视频 {} 由另一模型索引，而非当前模型",
    "There is no video {}": "没有视频 {}",
    "its worker was lost each time that it was tried": "每次尝试时工作进程都丢失了",
    "cancelled before all of it was done": "尚未全部完成即已取消",
    "this picture is not kept any more": "该图片已不再保存",
    "the demo needs {}, which is not installed": "演示库需要 {}，但未安装",
    "no such file or directory": "没有该文件或文件夹",
    "permission denied": "没有权限",
    "no space left on device": "磁盘空间不足",
    "is a directory": "这是文件夹",
    # the system's own words, as they come
    "Invalid data found when processing input": "数据无效",
    "No such file or directory": "没有该文件或文件夹",
    "Permission denied": "没有权限",
    # collections and questions
    "A collection needs a name": "合集需要名称",
    "the name of the collection is empty": "合集名称为空",
    "There is no collection {}": "没有合集 {}",
    "The collection {} was removed while a video was added to it": "添加视频时合集 {} 已被移除",
    "{} cannot be the name of a collection": "{} 不能用作合集名称",
    "{} is no kind of evidence": "{} 不是匹配依据",
    "the question is empty": "问题为空",
    "no installed text model reads the script of {}": "已安装的文本模型都不认识 {} 的文字",
    "No installed text model reads {}: pictures were searched for the rest of the question.": (
        "已安装的文本模型都不认识 {}：已按问题的其余部分搜索画面。"
    ),
    "Pictures were not searched: {}": "未搜索画面：{}",
    "Some videos are indexed with {} and not searched now: ingest them again with {}, or set SEEKPOINT_EMBEDDER.": (
        "部分视频由 {} 索引，此次未搜索：请用 {} 重新导入，或设置 SEEKPOINT_EMBEDDER。"
    ),
    "{} s is not within the {} s of {}": "{0} 秒不在 {2} 的 {1} 秒之内",
    # models
    "There is no embedder {}": "没有嵌入模型 {}",
    "the embedder {} is not installed": "嵌入模型 {} 未安装",
    "pip install seekpoint brings it; seekpoint models lists others": "pip install seekpoint 会安装它；seekpoint models 列出其他模型",
    "There is no folder {} with a {} checkpoint": "没有包含 {1} 检查点的文件夹 {0}",
    "The device {} cannot be used: {}": "无法使用设备 {}：{}",
    "The embedder lite needs the package of {}": "嵌入模型 lite 需要软件包 {}",
    "the meaning of texts needs the package of {}": "理解文本含义需要软件包 {}",
    "{} has no *.safetensors weights": "{} 中没有 *.safetensors 权重",
    "{} has no readable config.json: {}": "{} 中没有可读的 config.json：{}",
    "{} holds a model of type {}, not {}": "{} 中的模型类型为 {}，而不是 {}",
    "{} in {} cannot be loaded: {}": "无法加载 {1} 中的 {0}：{2}",
    "{} is not here: {} is not in the local cache and could not be fetched": "没有 {}：{} 不在本地缓存中，也无法获取",
    "cannot load the speech model {}: there is no such folder": "无法加载语音模型 {}：没有该文件夹",
    "cannot load the speech model {}: {}": "无法加载语音模型 {}：{}",
    "screen text needs rapidocr ({})": "屏幕文字需要 rapidocr ({})",
    "screen text needs rapidocr, which is not installed": "屏幕文字需要 rapidocr，但未安装",
    "speech needs faster-whisper ({})": "语音需要 faster-whisper ({})",
    "speech needs faster-whisper, which is not installed": "语音需要 faster-whisper，但未安装",
    "the embedded speech model is missing ({})": "缺少自带的语音模型 ({})",
    "the speech model {} does not know the language {}": "语音模型 {} 不支持语言 {}",
    "LEGO cannot be asked this: {}": "无法这样问 LEGO：{}",
    "LEGO cannot read this part of {}: {}": "LEGO 无法读取 {} 的这一部分：{}",
    "LEGO could not look at moment {}: {}": "LEGO 无法查看片段 {}：{}",
    "no worker with LEGO answered in time (seekpoint worker --queue gpu, SEEKPOINT_GROUND_WAIT_S)": (
        "没有带 LEGO 的工作进程及时答复 (seekpoint worker --queue gpu, SEEKPOINT_GROUND_WAIT_S)"
    ),
    "no LEGO checkpoint is configured": "未配置 LEGO 检查点",
    "there is no LEGO checkpoint in {}": "{} 中没有 LEGO 检查点",
    "the LEGO checkpoint does not load: {}": "无法加载 LEGO 检查点：{}",
    "the checkpoint does not fit the model: {}": "检查点与模型不符：{}",
    (
        "the image modality needs the folder of CLIP ViT-L/14-336 (openai/clip-vit-large-patch14-336): put it beside "
        "the checkpoint as clip_tower, or name it, or switch images off"
    ): (
        "图像模态需要 CLIP ViT-L/14-336 (openai/clip-vit-large-patch14-336) 的文件夹：请将其放在检查点旁并命名为 "
        "clip_tower，或指定其位置，或关闭图像"
    ),
    "there is no modality {} to be without; there are {}": "没有可关闭的模态 {}；现有 {}",
    "the sizes in config.json and {} make no model: {}: {}": "config.json 与 {} 中的尺寸无法构成模型：{}：{}",
    "config.json has image_token_len {}, but the CLIP tower makes {} tokens of an image": (
        "config.json 中 image_token_len 为 {}，但 CLIP 为每幅图像生成 {} 个标记"
    ),
    "config.json has no {}: it is not a complete LEGO configuration": "config.json 缺少 {}：不是完整的 LEGO 配置",
    "config.json or {} holds a value of the wrong kind: {}": "config.json 或 {} 中有类型错误的值：{}",
    "{} is of model_type {}, not {}": "{} 的 model_type 为 {}，而不是 {}",
    "{} is of model_type {}, not a CLIP model": "{} 的 model_type 为 {}，不是 CLIP 模型",
    "{} does not exist ({})": "{} 不存在 ({})",
    "{} is not JSON: {}": "{} 不是 JSON：{}",
    "{} holds a {} and not an object": "{} 中是 {} 而不是对象",
    "{} holds no config.json: it is not a CLIP folder": "{} 中没有 config.json：不是 CLIP 文件夹",
    "{} holds neither model*.safetensors nor pytorch_model*.bin": "{} 中既没有 model*.safetensors 也没有 pytorch_model*.bin",
    "{} does not hold tensors by name": "{} 中没有按名称保存的张量",
    "{} is not the index of a checkpoint: {}": "{} 不是检查点的索引：{}",
    "{} is no safetensors file, or not all of it is there: {}": "{} 不是 safetensors 文件，或不完整：{}",
    "{} cannot be read as tensors: {}": "无法将 {} 读取为张量：{}",
    "{} lacks {}, which {} names": "{0} 缺少 {2} 所列的 {1}",
    "{} is in {} and again in {} of {}": "{0} 在 {1} 中，又在 {3} 的 {2} 中",
    "{} holds no tokenizer.model; it comes with the checkpoint": "{} 中没有 tokenizer.model；它随检查点提供",
    "the tokenizer in {} cannot be read: {}: {}": "无法读取 {} 中的分词器：{}：{}",
    "int8 and int4 need the package bitsandbytes: pip install bitsandbytes, or choose bfloat16": (
        "int8 和 int4 需要软件包 bitsandbytes：pip install bitsandbytes，或选择 bfloat16"
    ),
    "a question must not contain {}, which has a meaning in prompts: {}": "问题不能包含 {}，它在提示中有特殊含义：{}",
    "the answer {} does not begin and end at token borders": "答案 {} 的首尾不在标记边界",
    # database and index
    "Another program has been upgrading {} for {} s": "另一程序已升级 {} 达 {} 秒",
    "Another program has been building the index of {} for long": "另一程序长时间在构建 {} 的索引",
    "Another program has been writing {} for long": "另一程序长时间在写入 {}",
    "No migrations are installed": "未安装迁移",
    "Tables and models differ: {}": "数据表与模型不一致：{}",
    "The catalog {} could not be used: {}": "无法使用目录 {}：{}",
    "The catalog {} refused a statement ({})": "目录 {} 拒绝了语句 ({})",
    "The catalog {} is locked by another program": "目录 {} 被另一程序锁定",
    "The catalog {} cannot be opened for writing ({})": "无法打开目录 {} 以写入 ({})",
    "The catalog {} is damaged or is no catalog ({})": "目录 {} 已损坏，或不是目录 ({})",
    "The catalog {} lacks a table of this version ({})": "目录 {} 缺少此版本的数据表 ({})",
    "The catalog {} has revision {}, which is newer than this version of Seekpoint": "目录 {} 的版本为 {}，比当前 Seekpoint 新",
    "No space left for the catalog {}": "目录 {} 没有剩余空间",
    "The disk under the catalog {} failed ({})": "目录 {} 所在的磁盘出错 ({})",
    "The database {} refused user or password": "数据库 {} 拒绝了用户名或密码",
    "The database {} refused a statement ({})": "数据库 {} 拒绝了语句 ({})",
    "The database {} was busy with the same rows ({})": "数据库 {} 正忙于同样的行 ({})",
    "The database {} lacks a table of this version ({})": "数据库 {} 缺少此版本的数据表 ({})",
    "The database {} is read-only ({})": "数据库 {} 为只读 ({})",
    "The database {} has tables of revision {}, this version needs {}": "数据库 {} 的数据表版本为 {}，当前版本需要 {}",
    "The database {} has no tables yet, this version needs {}": "数据库 {} 还没有数据表，当前版本需要 {}",
    "The database server of {} is away ({})": "{} 的数据库服务器不可用 ({})",
    "The server of {} has no such database": "{} 的服务器没有该数据库",
    "The server of {} has no space left ({})": "{} 的服务器没有剩余空间 ({})",
    "The PostgreSQL server has no pgvector ({} or later), which holds the vectors": (
        "PostgreSQL 服务器没有存放向量所需的 pgvector（{} 或更新）"
    ),
    "The PostgreSQL server has pgvector {}, {} is needed": "PostgreSQL 服务器的 pgvector 为 {}，需要 {}",
    "The user of SEEKPOINT_DATABASE_URL may not add pgvector to the database": "SEEKPOINT_DATABASE_URL 的用户无权为数据库添加 pgvector",
    "PostgreSQL needs the Python package {}": "PostgreSQL 需要 Python 软件包 {}",
    "SEEKPOINT_DATABASE_URL names {}": "SEEKPOINT_DATABASE_URL 指定了 {}",
    "SEEKPOINT_DATABASE_URL names SQLite without a file": "SEEKPOINT_DATABASE_URL 指定 SQLite 但没有文件",
    "SEEKPOINT_DATABASE_URL={} is not a database URL: {}": "SEEKPOINT_DATABASE_URL={} 不是数据库地址：{}",
    "SEEKPOINT_VECTORS=pgvector searches inside PostgreSQL, and the catalog is SQLite": (
        "SEEKPOINT_VECTORS=pgvector 在 PostgreSQL 中搜索，而目录是 SQLite"
    ),
    "The folder {} cannot be made ({})": "无法创建文件夹 {} ({})",
    "{} cannot be written": "无法写入 {}",
    "the space of removed rows in {} could not be freed: {}": "无法释放 {} 中已移除行的空间：{}",
    "Vectors of {} have {} numbers": "{} 的向量有 {} 个数",
    "Vectors of {} have {} numbers, its embedder makes {}": "{} 的向量有 {} 个数，其嵌入模型生成 {} 个",
    "The vectors of {} were not loaded": "{} 的向量未加载",
    "the HNSW index of {} was not built to its end": "{} 的 HNSW 索引未构建完成",
    "The vector snapshot {} cannot be used: {}": "无法使用向量快照 {}：{}",
    "The vector snapshot in {} could not be written ({})": "无法写入 {} 中的向量快照 ({})",
    "No space left for the vector snapshot in {}": "{} 中没有空间存放向量快照",
    "CURRENT is damaged": "CURRENT 已损坏",
    "the manifest does not match its checksum": "清单与校验和不符",
    "it holds {} numbers of {}, wanted {} of {}": "其中为 {1} 的 {0} 个数，需要 {3} 的 {2} 个",
    "its files hold different numbers of rows": "其各文件的行数不一致",
    "{} does not match its checksum": "{} 与校验和不符",
    # workers
    "there is no queue {}": "没有队列 {}",
    "no broker is configured": "未配置消息代理",
    "SEEKPOINT_BROKER_URL={} is no Redis": "SEEKPOINT_BROKER_URL={} 不是 Redis",
    "SEEKPOINT_BROKER_URL={} is no Redis ({})": "SEEKPOINT_BROKER_URL={} 不是 Redis ({})",
    "the broker {} refused user or password": "消息代理 {} 拒绝了用户名或密码",
    "the broker {} is away ({})": "消息代理 {} 不可用 ({})",
    "the broker {} refuses: {}": "消息代理 {} 拒绝请求: {}",
    "check SEEKPOINT_BROKER_URL and that server's settings": "请检查 SEEKPOINT_BROKER_URL 和该服务器的设置",
    "workers need the Python package {}": "工作进程需要 Python 软件包 {}",
    # the check-up
    "database": "数据库",
    "models": "模型",
    "speech": "语音",
    "screen text": "屏幕文字",
    "device": "设备",
    "files": "文件",
    "work": "任务",
    "disk": "磁盘",
    "vectors {}": "向量 {}",
    "{} at revision {}": "{}，版本 {}",
    "embedder {} ({} numbers a vector) loads": "嵌入模型 {} 可加载（每个向量 {} 个数）",
    "model {} loads": "模型 {} 可加载",
    "its model loads": "模型可加载",
    "{} was asked for, but torch sees no GPU": "要求使用 {}，但 torch 未发现 GPU",
    "{} videos, all there": "{} 个视频，全部在位",
    "{} of {} videos are offline (numbers {})": "{1} 个视频中有 {0} 个离线（编号 {2}）",
    "{} videos failed": "{} 个视频失败",
    "{} chunks done, {} waiting": "已完成 {} 段，等待 {} 段",
    "{} GB free in {}": "{1} 中剩余 {0} GB",
    "no vectors yet": "还没有向量",
    "{} vectors, recall@10 {} of all, {} in 1 % selections, {} in 15 % selections": (
        "{} 个向量，recall@10：全部 {}，1 % 选集 {}，15 % 选集 {}"
    ),
    # models: what each is for
    "the default: everyday things, places and people, without a download": "默认：日常事物、地点和人物，无需下载",
    "best quality, multilingual; trained on pictures with captions": "质量最佳，多语言；用带说明的图片训练",
    "good quality in English; small checkpoints exist": "英语质量好；有小型检查点",
    "colour words only, for tests and trials": "仅颜色词，用于测试和试用",
    "what is said, with word times": "语音内容及每个词的时间",
    "what is said, in about a hundred languages, which it tells apart": "语音内容，可自动识别约一百种语言",
    "what is written on the screen": "屏幕上的文字",
    "second opinion on times, boxes in pictures, descriptions (docs/guides/grounding-models.md)": "复核时间、画面中的方框、描述 (docs/guides/grounding-models.md)",
    "21 real videos, 73 questions: right video first .64, in the first five .97": "21 个真实视频、73 个问题：正确视频居首 .64，居前五 .97",
    "not measured here": "未在此测量",
    "colours only": "仅颜色",
    "word error rate .13 to .31 on six synthetic voices": "六种合成语音的词错误率为 .13 至 .31",
    "lines of 24 pixels and more at 720p: recall .91 to 1.0, precision .98": "720p 下 24 像素以上的文字行：召回率 .91 至 1.0，精确率 .98",
    "published: Charades-STA R@1 29.6 at IoU .5, 11.9 at .7": "已发表：Charades-STA R@1 在 IoU .5 为 29.6，.7 为 11.9",
    "installed with Seekpoint": "随 Seekpoint 安装",
    "SEEKPOINT_EMBEDDER=siglip2 SEEKPOINT_EMBEDDER_PATH=folder or google/siglip2-base-patch16-224": (
        "SEEKPOINT_EMBEDDER=siglip2 SEEKPOINT_EMBEDDER_PATH=文件夹 或 google/siglip2-base-patch16-224"
    ),
    "SEEKPOINT_EMBEDDER=clip SEEKPOINT_EMBEDDER_PATH=folder or openai/clip-vit-base-patch32": (
        "SEEKPOINT_EMBEDDER=clip SEEKPOINT_EMBEDDER_PATH=文件夹 或 openai/clip-vit-base-patch32"
    ),
    "SEEKPOINT_SPEECH_MODEL=folder or Systran/faster-whisper-small": "SEEKPOINT_SPEECH_MODEL=文件夹 或 Systran/faster-whisper-small",
    "SEEKPOINT_LEGO_PATH=folder of the published checkpoint": "SEEKPOINT_LEGO_PATH=已发布检查点的文件夹",
    "whisper-tiny.en (embedded)": "whisper-tiny.en（自带）",
    "whisper (any size, CTranslate2)": "whisper（任意大小，CTranslate2）",
}

_library = Translation(LIBRARY)


@dataclass(frozen=True, slots=True)
class Texts:
    """`texts("answers.took", n=3, ms=20)`."""

    language: Language

    def __call__(self, key: str, /, **values: object) -> str:
        text = TEXTS[key][self._index]
        return text.format(**values) if values else text

    def said(self, text: str) -> str:
        """What the library says, in this language."""
        return text if self.language == "en" else _library.of(text)

    @classmethod
    def of(cls, accepted: str) -> Texts:
        """In the language that an Accept-Language header, or a locale, asks for."""
        return cls(language_of(accepted))

    @property
    def examples(self) -> list[str]:
        return [example[self._index] for example in EXAMPLES]

    @property
    def streamlit(self) -> list[tuple[str, str]]:
        """Words of Streamlit and what they are called here; none where they are right already."""
        return [] if self.language == "en" else list(STREAMLIT.items())

    @property
    def _index(self) -> int:
        return 1 if self.language == "zh" else 0


def texts_of(request: HTTPConnection) -> Texts:
    return Texts.of(request.headers.get("accept-language", ""))


def language_of(accepted: str) -> Language:
    """The first language of an Accept-Language header (or a locale) that there is; English
    otherwise.
    """
    for entry in accepted.split(","):
        code = entry.partition(";")[0].strip().lower().replace("_", "-")
        if code.startswith("zh"):
            return "zh"
        if code.startswith("en"):
            return "en"
    return "en"
